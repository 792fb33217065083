#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/outlet.h"
#include "scratch.h"

enum { MUCH = 300000 }; /* more than a pipe or a socket holds */

/* Text in which every place is told apart from its neighbours. */
static char pattern(size_t i)
{
    return (char)('a' + i % 23);
}

/* Reads what is there and checks that it continues the pattern at `at`; returns the end. */
static size_t read_pattern(int fd, size_t at)
{
    char buffer[4096];
    const ssize_t n = read(fd, buffer, sizeof buffer);
    assert_true(n > 0);
    for (ssize_t i = 0; i < n; i++)
        assert_int_equal(buffer[i], pattern(at + (size_t)i));
    return at + (size_t)n;
}

/* Sends far more than fits while nobody reads, in pieces; then reads all of it. */
static void check_unread(int from, int to)
{
    struct outlet o;
    char piece[1000];
    size_t read_so_far = 0;
    outlet_open(&o, to);
    for (size_t at = 0; at < MUCH; at += sizeof piece) {
        for (size_t i = 0; i < sizeof piece; i++)
            piece[i] = pattern(at + i);
        outlet_send(&o, piece, sizeof piece);
    }
    assert_false(outlet_ready(&o));
    assert_int_equal(fcntl(to, F_GETFL) & O_NONBLOCK, 0); /* others that share it are not disturbed */
    while (!outlet_ready(&o))
        read_so_far = read_pattern(from, read_so_far);
    while (read_so_far < MUCH)
        read_so_far = read_pattern(from, read_so_far);
    outlet_finish(&o); /* nothing is left to wait for */
    outlet_release(&o);
    assert_int_equal(write(to, "x", 1), 1); /* still open */
    close(from);
    close(to);
}

static void unread_pipe(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    check_unread(ends[0], ends[1]);
}

static void unread_socket(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    check_unread(ends[0], ends[1]);
}

/* A file's offset is shared with other writers: nothing overwrites what they wrote. */
static void regular_file(void **state)
{
    scratch_path path;
    struct outlet o;
    char text[16] = "";
    const int fd = open(scratch_name(path, state, "out"), O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    outlet_open(&o, fd);
    outlet_send(&o, "one ", 4);
    assert_int_equal(write(fd, "two ", 4), 4);
    outlet_send(&o, "three", 5);
    outlet_release(&o);
    assert_int_equal(pread(fd, text, sizeof text - 1, 0), 13);
    assert_string_equal(text, "one two three");
    close(fd);
}

/* What cannot be written is lost, without an end or a wait. */
static void nobody_there(void **state)
{
    (void)state;
    struct outlet o;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    void (*before)(int) = signal(SIGPIPE, SIG_IGN);
    outlet_open(&o, ends[1]);
    outlet_send(&o, "text", 4);
    assert_true(outlet_ready(&o));
    outlet_finish(&o);
    outlet_release(&o);
    close(ends[1]);
    outlet_open(&o, ends[1]); /* as after 2>&- */
    outlet_send(&o, "text", 4);
    assert_true(outlet_ready(&o));
    outlet_release(&o);
    signal(SIGPIPE, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unread_pipe),
        cmocka_unit_test(unread_socket),
        cmocka_unit_test(regular_file),
        cmocka_unit_test(nobody_there),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
