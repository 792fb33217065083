/* firesweep: finds the command, runs it, prints its error once, and turns its status into the exit code. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/manual.h"
#include "cli/output.h"
#include "sweep/suggest.h"

static void print_help(void)
{
    puts("Usage: firesweep COMMAND [OPTION...] [ARGUMENT...]\n\n"
         "How small can a SqueezeNet-like network get before accuracy drops?\n\n"
         "Commands:");
    for (const struct command *const *c = commands_all(); *c; c++) {
        const int column = printf("  %-10s  ", (*c)->name);
        output_words(stdout, (*c)->summary, column, column, ARGS_HELP_WIDTH);
        putchar('\n');
    }
    puts("\nOptions:\n"
         "  --help     Show this help; firesweep COMMAND --help shows that of a command\n"
         "  --version  Show the version\n\n"
         "Exit status: 0 ok, 1 failed, 2 wrong usage. Manual page: firesweep(1).");
}

static enum status command_run_args(const struct command *command, int argc, const char **argv, struct err *e)
{
    struct args args;
    enum status st = args_parse(&args, command, argc, argv, e);
    if (st == ST_OK && !args.help)
        st = command->run(&args, e);
    args_release(&args);
    return st;
}

static enum status unknown_command(const char *word, struct err *e)
{
    enum { MOST = 64 };
    const char *names[MOST];
    int count = 0;
    for (const struct command *const *c = commands_all(); *c && count < MOST; c++)
        names[count++] = (*c)->name;
    const char *guess = suggest_word(word, names, count);
    return err_set(e, ST_USAGE, "unknown %s \"%.60s\"%s%s%s, see firesweep --help",
                   word[0] == '-' ? "option" : "command", word, guess ? ", did you mean " : "",
                   guess ? guess : "", guess ? "?" : "");
}

static enum status dispatch(int argc, const char **argv, struct err *e)
{
    if (argc < 2)
        return err_set(e, ST_USAGE, "no command given, see firesweep --help");
    const char *word = argv[1];
    if (strcmp(word, "--version") == 0) {
        puts("firesweep " FIRESWEEP_VERSION);
        return ST_OK;
    }
    if (strcmp(word, "--man") == 0) { /* for the build */
        manual_write(stdout, FIRESWEEP_VERSION);
        return ST_OK;
    }
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 ||
        (strcmp(word, "help") == 0 && (argc == 2 || argv[2][0] == '-'))) {
        print_help();
        return ST_OK;
    }
    if (strcmp(word, "help") == 0) {
        const char *swapped[] = {argv[2], "--help", NULL};
        const struct command *asked = command_find(argv[2]);
        return asked ? command_run_args(asked, 2, swapped, e) : unknown_command(argv[2], e);
    }
    const struct command *command = command_find(word);
    if (!command)
        return unknown_command(word, e);
    return command_run_args(command, argc - 1, argv + 1, e);
}

/* A closed standard stream would give its number to the next file that is opened, a database for example, and
 * what is printed would end up there. The wrong access mode keeps reads and writes of the stream failing. */
static void occupy_standard_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) == -1 && errno == EBADF)
            (void)!open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

int main(int argc, char **argv)
{
    struct err e = ERR_INIT;
    static char buffer[1 << 16];
    occupy_standard_streams();
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error of write(2), with the file's name */
    if (!isatty(
            STDOUT_FILENO)) /* large enough for most answers: output_flush can then say why writing failed */
        setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    enum status st = dispatch(argc, (const char **)argv, &e);
    struct err flush = ERR_INIT;
    enum status flushed = output_flush(&flush);
    if (st == ST_OK && flushed != ST_OK) {
        st = flushed;
        e = flush;
    }
    if (st != ST_OK) {
        const int column = fprintf(stderr, "firesweep: ");
        output_message(stderr, e.text, column);
        fputc('\n', stderr);
    }
    return err_exit_code(st);
}
