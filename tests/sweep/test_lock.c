/* One run at a time: a living holder, one that was killed, and one whose workers outlive it. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "sweep/lock.h"

struct place {
    char folder[64], db[96], lock[112];
};

static int place_setup(void **state)
{
    static struct place p;
    snprintf(p.folder, sizeof p.folder, "/tmp/firesweep-lock-XXXXXX");
    if (!mkdtemp(p.folder)) {
        return -1;
    }
    snprintf(p.db, sizeof p.db, "%s/x.db", p.folder);
    snprintf(p.lock, sizeof p.lock, "%s.lock", p.db);
    *state = &p;
    return 0;
}

static int place_teardown(void **state)
{
    struct place *p = *state;
    unlink(p->lock);
    return rmdir(p->folder);
}

static void test_take_and_release(void **state)
{
    struct place *p = *state;
    struct run_lock lock;
    struct err e = ERR_INIT;
    assert_int_equal(run_lock_check(p->db, &e), ST_OK);
    assert_false(file_exists(p->lock));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(run_lock_take(&lock, p->db, NULL, NULL, &e), ST_OK);
        assert_true(file_exists(p->lock));
        run_lock_release(&lock);
        assert_false(file_exists(p->lock));
        run_lock_release(&lock); /* safe when not held */
    }
}

/* A child that takes the lock and, with `worker`, leaves it to a child of its own. Says "ready" on the pipe,
 * and ends when the pipe towards it is closed. */
struct holder {
    pid_t pid;
    int to, from;
};

static _Noreturn void hold(const struct place *p, int from_parent, int to_parent, bool worker)
{
    struct run_lock lock;
    struct err e = ERR_INIT;
    char byte = 'r';
    if (run_lock_take(&lock, p->db, NULL, NULL, &e) != ST_OK) {
        _exit(1);
    }
    if (worker && fork() != 0) {
        _exit(0); /* the lock's descriptor lives on in the worker */
    }
    if (write(to_parent, &byte, 1) != 1 || read(from_parent, &byte, 1) < 0) {
        _exit(1);
    }
    _exit(0);
}

static struct holder holder_start(const struct place *p, bool worker)
{
    int to[2], from[2];
    char byte;
    assert_int_equal(pipe2(to, O_CLOEXEC), 0);
    assert_int_equal(pipe2(from, O_CLOEXEC), 0);
    struct holder h = {fork(), to[1], from[0]};
    if (h.pid == 0) {
        close(to[1]);
        close(from[0]);
        hold(p, to[0], from[1], worker);
    }
    close(to[0]);
    close(from[1]);
    assert_int_equal(read(h.from, &byte, 1), 1);
    return h;
}

static void holder_reap(struct holder *h)
{
    int status;
    assert_int_equal(waitpid(h->pid, &status, 0), h->pid);
}

static void test_living_holder_is_named(void **state)
{
    struct place *p = *state;
    struct run_lock lock;
    struct err e = ERR_INIT;
    char pid[32];
    struct holder h = holder_start(p, false);
    snprintf(pid, sizeof pid, "process %ld ", (long)h.pid);
    assert_int_equal(run_lock_check(p->db, &e), ST_FAILED);
    assert_non_null(strstr(e.text, pid));
    e = ERR_INIT;
    assert_int_equal(run_lock_take(&lock, p->db, NULL, NULL, &e), ST_FAILED);
    assert_non_null(strstr(e.text, pid));
    assert_non_null(strstr(e.text, p->db));
    assert_true(file_exists(p->lock)); /* still the holder's */

    kill(h.pid, SIGKILL);
    holder_reap(&h);
    assert_true(file_exists(p->lock)); /* left behind, but nobody holds it */
    assert_int_equal(run_lock_check(p->db, &e), ST_OK);
    assert_int_equal(run_lock_take(&lock, p->db, NULL, NULL, &e), ST_OK);
    run_lock_release(&lock);
    close(h.to);
    close(h.from);
}

/* While somebody waits: the last worker ends. */
static void let_worker_end(void *context, const char *text)
{
    struct holder *h = context;
    assert_non_null(strstr(text, "waiting"));
    close(h->to);
    h->to = -1;
}

/* A dead holder whose parent has not asked for its status is dead all the same. */
static void wait_for_workers(const struct place *p, bool reaped)
{
    struct run_lock lock;
    struct err e = ERR_INIT;
    struct holder h = holder_start(p, true);
    if (reaped) {
        holder_reap(&h);
    }
    assert_int_equal(run_lock_check(p->db, &e), ST_OK);
    assert_int_equal(run_lock_take(&lock, p->db, let_worker_end, &h, &e), ST_OK);
    assert_int_equal(h.to, -1); /* it did have to wait */
    run_lock_release(&lock);
    close(h.from);
    if (!reaped) {
        holder_reap(&h);
    }
}

static void test_workers_of_a_dead_holder_are_waited_for(void **state)
{
    wait_for_workers(*state, true);
    wait_for_workers(*state, false);
}

static void test_missing_folder_is_an_error(void **state)
{
    (void)state;
    struct run_lock lock;
    struct err e = ERR_INIT;
    assert_int_equal(run_lock_take(&lock, "/nonexistent/folder/x.db", NULL, NULL, &e), ST_FAILED);
    assert_non_null(strstr(e.text, "/nonexistent/folder/x.db.lock"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_take_and_release, place_setup, place_teardown),
        cmocka_unit_test_setup_teardown(test_living_holder_is_named, place_setup, place_teardown),
        cmocka_unit_test_setup_teardown(test_workers_of_a_dead_holder_are_waited_for, place_setup,
                                        place_teardown),
        cmocka_unit_test(test_missing_folder_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
