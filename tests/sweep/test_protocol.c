/* Records over a pipe: every kind, torn ones, foreign bytes, a reader that is gone. */
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sweep/protocol.h"

struct channel {
    int read_end, write_end;
    struct record_reader reader;
    struct err e;
};

static void channel_open(struct channel *c)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    c->read_end = ends[0];
    c->write_end = ends[1];
    c->e = ERR_INIT;
    record_reader_init(&c->reader);
}

static void channel_close(const struct channel *c)
{
    close(c->read_end);
    if (c->write_end >= 0)
        close(c->write_end);
}

static int channel_setup(void **state)
{
    static struct channel c;
    channel_open(&c);
    *state = &c;
    return 0;
}

static int channel_teardown(void **state)
{
    channel_close(*state);
    return 0;
}

static void close_writer(struct channel *c)
{
    close(c->write_end);
    c->write_end = -1;
}

static enum record_result next(struct channel *c, struct record *r)
{
    return record_next(&c->reader, c->read_end, r, &c->e);
}

static void send(struct channel *c, const struct record *r)
{
    assert_int_equal(record_send(c->write_end, r, &c->e), ST_OK);
}

static struct epoch_metrics example_epoch(void)
{
    struct epoch_metrics m;
    memset(&m, 0, sizeof m);
    m.epoch = 7;
    m.lr = 0.1 / 3;
    m.train_loss = 1.5;
    m.train_top1 = 0.25;
    m.val = (struct eval_metrics){5000, 1.25, 0.5, 0.875};
    m.train_s = 12.5;
    m.eval_s = 0.5;
    return m;
}

static void test_every_kind_arrives_as_sent(void **state)
{
    struct channel *c = *state;
    struct record r, got;
    r = record_of(RECORD_STARTED);
    r.epochs_done = 3;
    send(c, &r);
    r = record_of(RECORD_PROGRESS);
    r.as.progress = (struct progress){2, 17, 391, 1234.5, 2.25};
    send(c, &r);
    r = record_of(RECORD_EPOCH);
    r.resent = true;
    r.as.epoch = example_epoch();
    send(c, &r);
    r = record_with_text(RECORD_NOTICE, "no space");
    send(c, &r);
    r = record_of(RECORD_DONE);
    r.as.test = (struct eval_metrics){10000, 0.75, 0.8125, 0.9375};
    send(c, &r);
    r = record_with_text(RECORD_DIVERGED, "loss is NaN");
    r.step = INT64_C(5000000000);
    send(c, &r);
    r = record_of(RECORD_STOPPED);
    send(c, &r);
    r = record_with_text(RECORD_FAILED, "");
    r.status = ST_NOMEM;
    send(c, &r);

    assert_int_equal(next(c, &got), RECORD_READ);
    assert_int_equal(got.kind, RECORD_STARTED);
    assert_int_equal(got.epochs_done, 3);
    assert_int_equal(next(c, &got), RECORD_READ);
    assert_int_equal(got.kind, RECORD_PROGRESS);
    assert_int_equal(got.as.progress.step, 17);
    assert_true(got.as.progress.images_per_s == 1234.5);
    assert_int_equal(next(c, &got), RECORD_READ);
    assert_int_equal(got.kind, RECORD_EPOCH);
    assert_true(got.resent);
    struct epoch_metrics sent = example_epoch();
    assert_memory_equal(&got.as.epoch, &sent, sizeof sent);
    assert_int_equal(next(c, &got), RECORD_READ);
    assert_int_equal(got.kind, RECORD_NOTICE);
    assert_string_equal(got.as.text, "no space");
    assert_int_equal(next(c, &got), RECORD_READ);
    assert_int_equal(got.kind, RECORD_DONE);
    assert_true(got.as.test.top1 == 0.8125);
    assert_int_equal(got.as.test.count, 10000);
    assert_int_equal(next(c, &got), RECORD_READ);
    assert_int_equal(got.kind, RECORD_DIVERGED);
    assert_true(got.step == INT64_C(5000000000));
    assert_string_equal(got.as.text, "loss is NaN");
    assert_int_equal(next(c, &got), RECORD_READ);
    assert_int_equal(got.kind, RECORD_STOPPED);
    assert_int_equal(next(c, &got), RECORD_READ);
    assert_int_equal(got.kind, RECORD_FAILED);
    assert_int_equal(got.status, ST_NOMEM);
    assert_string_equal(got.as.text, "");
    assert_int_equal(next(c, &got), RECORD_EMPTY);
    close_writer(c);
    assert_int_equal(next(c, &got), RECORD_END);
}

static void test_long_text_is_cut(void **state)
{
    struct channel *c = *state;
    char text[3 * RECORD_TEXT];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    struct record r = record_with_text(RECORD_NOTICE, text), got;
    send(c, &r);
    assert_int_equal(next(c, &got), RECORD_READ);
    assert_int_equal(strlen(got.as.text), RECORD_TEXT - 1);
}

/* The bytes of one record as they stand on a pipe. */
static size_t record_bytes(const struct record *r, unsigned char bytes[PIPE_BUF])
{
    int ends[2];
    struct err e = ERR_INIT;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(record_send(ends[1], r, &e), ST_OK);
    ssize_t n = read(ends[0], bytes, PIPE_BUF);
    close(ends[0]);
    close(ends[1]);
    assert_true(n > 0);
    return (size_t)n;
}

static void test_records_arrive_byte_by_byte(void **state)
{
    struct channel *c = *state;
    unsigned char bytes[PIPE_BUF];
    struct record r = record_of(RECORD_EPOCH), got;
    r.as.epoch = example_epoch();
    size_t n = record_bytes(&r, bytes);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(next(c, &got), RECORD_EMPTY);
        assert_int_equal(write(c->write_end, bytes + i, 1), 1);
    }
    assert_int_equal(next(c, &got), RECORD_READ);
    assert_int_equal(got.as.epoch.epoch, 7);
    assert_int_equal(next(c, &got), RECORD_EMPTY);
}

static void test_torn_last_record_is_dropped_at_every_length(void **state)
{
    (void)state;
    unsigned char bytes[PIPE_BUF];
    struct record whole = record_of(RECORD_STARTED), torn = record_with_text(RECORD_NOTICE, "cut"), got;
    size_t n = record_bytes(&torn, bytes);
    for (size_t length = 0; length < n; length++) {
        struct channel local, *c = &local;
        channel_open(c);
        send(c, &whole);
        assert_int_equal(write(c->write_end, bytes, length), (int)length);
        close_writer(c);
        assert_int_equal(next(c, &got), RECORD_READ);
        assert_int_equal(next(c, &got), RECORD_END);
        assert_int_equal(next(c, &got), RECORD_END);
        channel_close(c);
    }
}

static void test_more_records_than_the_buffer_holds(void **state)
{
    struct channel *c = *state;
    struct record got;
    int sent = 0, received = 0;
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < 30; i++) {
            struct record r = record_of(i % 2 ? RECORD_EPOCH : RECORD_PROGRESS);
            if (i % 2)
                r.as.epoch.epoch = sent++;
            else
                r.as.progress.epoch = sent++;
            send(c, &r);
        }
        while (next(c, &got) == RECORD_READ) {
            int number = got.kind == RECORD_EPOCH ? got.as.epoch.epoch : got.as.progress.epoch;
            assert_int_equal(number, received);
            received++;
        }
    }
    assert_int_equal(received, sent);
}

/* Changes one 32-bit word of a record's head and expects the reader to refuse it. */
static void refuse_changed_word(const struct record *r, size_t word, uint32_t value, const char *reason)
{
    struct channel local, *c = &local;
    unsigned char bytes[PIPE_BUF];
    struct record got;
    channel_open(c);
    size_t n = record_bytes(r, bytes);
    memcpy(bytes + 4 * word, &value, sizeof value);
    assert_int_equal(write(c->write_end, bytes, n), (int)n);
    assert_int_equal(next(c, &got), RECORD_BROKEN);
    assert_int_equal(c->e.status, ST_CORRUPT);
    assert_non_null(strstr(c->e.text, reason));
    channel_close(c);
}

static void test_foreign_bytes_are_refused(void **state)
{
    (void)state;
    struct record epoch = record_of(RECORD_EPOCH), notice = record_with_text(RECORD_NOTICE, "text");
    refuse_changed_word(&epoch, 0, 0x12345678, "mark");
    refuse_changed_word(&epoch, 1, 0, "kind");
    refuse_changed_word(&epoch, 1, RECORD_KIND_COUNT, "kind");
    refuse_changed_word(&epoch, 2, (uint32_t)sizeof(struct epoch_metrics) - 1, "size");
    refuse_changed_word(&epoch, 2, 0xffffffff, "size");
    refuse_changed_word(&epoch, 4, ST_INTERRUPTED + 1, "status");
    refuse_changed_word(&epoch, 4, 0xffffffff, "status");
    refuse_changed_word(&notice, 2, 0, "size");
    refuse_changed_word(&notice, 2, RECORD_TEXT + 1, "size");
    refuse_changed_word(&notice, 2, 4, "end"); /* "text" without its terminator */
}

static void test_gone_reader_is_an_error(void **state)
{
    struct channel *c = *state;
    struct record r = record_of(RECORD_STOPPED);
    void (*before)(int) = signal(SIGPIPE, SIG_IGN);
    close(c->read_end);
    assert_int_equal(record_send(c->write_end, &r, &c->e), ST_FAILED);
    assert_non_null(strstr(c->e.text, "Broken pipe"));
    signal(SIGPIPE, before);
    c->read_end = dup(STDIN_FILENO);
}

static void test_read_error_is_reported(void **state)
{
    struct channel *c = *state;
    struct record got;
    assert_int_equal(record_next(&c->reader, -1, &got, &c->e), RECORD_BROKEN);
    assert_non_null(strstr(c->e.text, "Bad file descriptor"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_kind_arrives_as_sent, channel_setup, channel_teardown),
        cmocka_unit_test_setup_teardown(test_long_text_is_cut, channel_setup, channel_teardown),
        cmocka_unit_test_setup_teardown(test_records_arrive_byte_by_byte, channel_setup, channel_teardown),
        cmocka_unit_test(test_torn_last_record_is_dropped_at_every_length),
        cmocka_unit_test_setup_teardown(test_more_records_than_the_buffer_holds, channel_setup,
                                        channel_teardown),
        cmocka_unit_test(test_foreign_bytes_are_refused),
        cmocka_unit_test_setup_teardown(test_gone_reader_is_an_error, channel_setup, channel_teardown),
        cmocka_unit_test_setup_teardown(test_read_error_is_reported, channel_setup, channel_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
