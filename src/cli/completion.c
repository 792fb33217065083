/* firesweep completion: scripts that make a shell complete command lines, generated from the option tables.
 */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/values.h"

static const struct poptOption options[] = {POPT_TABLEEND};

static const char bash_head[] =
    "# bash completion of firesweep, written by `firesweep completion bash`.\n"
    "\n"
    "# Proposes what the program itself lists; the database is the first argument.\n"
    "_firesweep_ask()\n"
    "{\n"
    "    local rows\n"
    "    rows=$(\"$_firesweep_program\" query \"$@\" --format csv 2>/dev/null </dev/null | tail -n +2 | "
    "cut -d, -f1)\n"
    "    COMPREPLY+=($(compgen -W \"$rows\" -- \"$cur\"))\n"
    "}\n"
    "\n"
    "# Columns of the query that the command line names; those before a comma stay.\n"
    "_firesweep_columns()\n"
    "{\n"
    "    local names start=''\n"
    "    names=$(\"$_firesweep_program\" query \"$database\" \"${query:-trials}\" --columns all --limit 0 "
    "--format csv 2>/dev/null </dev/null)\n"
    "    if [[ $cur == *,* ]]; then start=${cur%,*},; fi\n"
    "    COMPREPLY+=($(compgen -P \"$start\" -W \"${names//,/ }\" -- \"${cur##*,}\"))\n"
    "}\n"
    "\n"
    "# Files of a pattern, and folders on the way to them.\n"
    "_firesweep_files()\n"
    "{\n"
    "    local file\n"
    "    compopt -o filenames 2>/dev/null\n"
    "    while IFS= read -r file; do\n"
    "        if [[ -d $file || $file == $1 ]]; then COMPREPLY+=(\"$file\"); fi\n"
    "    done < <(compgen -f -- \"$cur\")\n"
    "}\n"
    "\n"
    "_firesweep_propose()\n"
    "{\n"
    "    local kind\n"
    "    for kind in $1; do\n"
    "        case $kind in\n"
    "        @file) _firesweep_files '*' ;;\n"
    "        @folder) _firesweep_files '' ;;\n"
    "        @db) _firesweep_files '*.db' ;;\n"
    "        @spec) _firesweep_files '*.y?(a)ml' ;;\n"
    "        @checkpoint) _firesweep_files '*.safetensors' ;;\n"
    "        @query) _firesweep_ask --list ;;\n"
    "        @block) if [[ -f $database ]]; then _firesweep_ask \"$database\" --sql "
    "'SELECT DISTINCT name FROM block'; fi ;;\n"
    "        @trial) if [[ -f $database ]]; then _firesweep_ask \"$database\" --sql "
    "'SELECT id FROM trial'; fi ;;\n"
    "        @column) if [[ -f $database ]]; then _firesweep_columns; fi ;;\n"
    "        @axis) if [[ -f $database ]]; then _firesweep_ask \"$database\" --sql "
    "'SELECT DISTINCT a.key FROM block_trial, json_each(axes) a'; fi ;;\n"
    "        *) COMPREPLY+=($(compgen -W \"$kind\" -- \"$cur\")) ;;\n"
    "        esac\n"
    "    done\n"
    "}\n"
    "\n"
    "_firesweep()\n"
    "{\n"
    "    local cur=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} database='' query='' "
    "words='' "
    "flags=''\n"
    "    local _firesweep_program=${COMP_WORDS[0]} command=${COMP_WORDS[1]} valued='' arguments=() given=0 i "
    "extglob\n"
    "    COMPREPLY=()\n"
    "    if [[ $cur == = ]]; then cur=''; elif [[ $previous == = ]]; then previous=${COMP_WORDS[COMP_CWORD - "
    "2]}; fi\n"
    "    case $command in\n";

static const char bash_tail[] =
    "    for ((i = 2; i < COMP_CWORD; i++)); do\n"
    "        if [[ ${COMP_WORDS[i]} == -* ]]; then\n"
    "            if [[ ${COMP_WORDS[i + 1]} == = ]]; then ((i += 2));\n"
    "            elif [[ \" $valued \" == *\" ${COMP_WORDS[i]} \"* ]]; then ((i++)); fi\n"
    "            continue\n"
    "        fi\n"
    "        if ((given == 0)); then database=${COMP_WORDS[i]}; fi\n"
    "        if ((given == 1)); then query=${COMP_WORDS[i]}; fi\n"
    "        ((given++))\n"
    "    done\n"
    "    if ((COMP_CWORD == 1)); then\n"
    "        COMPREPLY=($(compgen -W \"$commands --help --version\" -- \"$cur\"))\n"
    "    elif [[ \" $valued \" == *\" $previous \"* ]]; then\n"
    "        _firesweep_propose \"$words\"\n"
    "    elif [[ $cur == -* ]]; then\n"
    "        COMPREPLY=($(compgen -W \"$flags --help\" -- \"$cur\"))\n"
    "    else\n"
    "        _firesweep_propose \"${arguments[given]}\"\n"
    "    fi\n"
    "}\n"
    "complete -F _firesweep firesweep\n";

static const char *const marks[] = {
    [VALUE_FILE] = "@file",   [VALUE_FOLDER] = "@folder",         [VALUE_DB] = "@db",
    [VALUE_SPEC] = "@spec",   [VALUE_CHECKPOINT] = "@checkpoint", [VALUE_QUERY] = "@query",
    [VALUE_BLOCK] = "@block", [VALUE_TRIAL] = "@trial",           [VALUE_COLUMN] = "@column",
    [VALUE_AXIS] = "@axis",
};
enum { KINDS = sizeof marks / sizeof *marks };

static void bash_options(const struct command *c)
{
    fputs("        flags='", stdout);
    for (const struct poptOption *o = c->options; o->longName; o++)
        printf("%s--%s", o == c->options ? "" : " ", o->longName);
    fputs("'\n        valued='", stdout);
    for (const struct poptOption *o = c->options; o->longName; o++) {
        if (o->argDescrip)
            printf("--%s ", o->longName);
        if (o->argDescrip && o->shortName)
            printf("-%c ", o->shortName);
    }
    fputs("'\n        case $previous in\n", stdout);
    for (const struct poptOption *o = c->options; o->longName; o++) {
        const struct value v = value_of_option(o);
        if (v.kind == VALUE_NONE)
            continue;
        printf("        --%s", o->longName);
        if (o->shortName)
            printf(" | -%c", o->shortName);
        printf(") words='%s%s%s' ;;\n", v.words, v.kind == VALUE_AXIS ? " " : "",
               v.kind == VALUE_WORDS ? "" : marks[v.kind]);
    }
    puts("        esac");
}

static void bash_arguments(const struct command *c)
{
    fputs("        arguments=(", stdout);
    for (int i = 0; i < c->positional_max; i++) {
        struct value words;
        const unsigned kinds = value_of_argument(c, i, &words);
        printf("%s'", i ? " " : "");
        for (int k = VALUE_FILE; k < KINDS; k++)
            if (kinds & 1u << k)
                printf("%s ", marks[k]);
        printf("%s'", words.words);
    }
    puts(")");
}

static void write_bash(void)
{
    fputs(bash_head, stdout);
    for (const struct command *const *c = commands_all(); *c; c++) {
        printf("    %s)\n", (*c)->name);
        bash_options(*c);
        bash_arguments(*c);
        puts("        ;;");
    }
    fputs("    esac\n    local commands='", stdout);
    for (const struct command *const *c = commands_all(); *c; c++)
        printf("%s%s", c == commands_all() ? "" : " ", (*c)->name);
    fputs("'\n", stdout);
    fputs(bash_tail, stdout);
}

/* zsh */

static const char zsh_head[] =
    "#compdef firesweep\n"
    "# zsh completion of firesweep, written by `firesweep completion zsh`.\n"
    "\n"
    "# Proposes what the program itself lists; the database is the argument after the command.\n"
    "_firesweep_ask()\n"
    "{\n"
    "    local -a rows\n"
    "    rows=(${(f)\"$($_firesweep_program query \"$@[2,-1]\" --format csv 2>/dev/null </dev/null)\"})\n"
    "    rows=(${rows[2,-1]%%,*})\n"
    "    _describe $1 rows\n"
    "}\n"
    "_firesweep_query() { _firesweep_ask query --list }\n"
    "_firesweep_block() { [[ -f $line[1] ]] && _firesweep_ask block $line[1] --sql "
    "'SELECT DISTINCT name FROM block' }\n"
    "_firesweep_trial() { [[ -f $line[1] ]] && _firesweep_ask trial $line[1] --sql 'SELECT id FROM trial' }\n"
    "# Columns of the query that the command line names; those before a comma stay.\n"
    "_firesweep_column()\n"
    "{\n"
    "    [[ -f $line[1] ]] || return\n"
    "    local -a names\n"
    "    names=(${(s:,:)\"$($_firesweep_program query $line[1] ${line[2]:-trials} --columns all --limit 0 "
    "--format csv 2>/dev/null </dev/null)\"})\n"
    "    compset -P '*,'\n"
    "    _describe column names\n"
    "}\n"
    "# An axis of the database, or one of the words that follow.\n"
    "_firesweep_axis()\n"
    "{\n"
    "    compadd -- $@\n"
    "    [[ -f $line[1] ]] && _firesweep_ask axis $line[1] --sql "
    "'SELECT DISTINCT a.key FROM block_trial, json_each(axes) a'\n"
    "}\n"
    "\n"
    "_firesweep()\n"
    "{\n"
    "    local _firesweep_program=$words[1]\n"
    "    local -a line commands\n"
    "    commands=(\n";

static const char *zsh_action(enum value_kind kind)
{
    static const char *const actions[] = {
        [VALUE_NONE] = " ",
        [VALUE_FILE] = "_files",
        [VALUE_FOLDER] = "_files -/",
        [VALUE_DB] = "_files -g \"*.db\"",
        [VALUE_SPEC] = "_files -g \"*.(yaml|yml)\"",
        [VALUE_CHECKPOINT] = "_files -g \"*.safetensors\"",
        [VALUE_QUERY] = "_firesweep_query",
        [VALUE_BLOCK] = "_firesweep_block",
        [VALUE_TRIAL] = "_firesweep_trial",
        [VALUE_COLUMN] = "_firesweep_column",
        [VALUE_AXIS] = "_firesweep_axis",
    };
    return actions[kind];
}

/* Text between single quotes, within [...] or before a colon. */
static void zsh_text(const char *text)
{
    for (; *text; text++)
        if (*text == '\'')
            fputs("'\\''", stdout);
        else if (strchr("[]:\\", *text))
            printf("\\%c", *text);
        else
            putchar(*text);
}

static void zsh_value(const char *name, const struct value *v)
{
    putchar(':');
    zsh_text(name);
    if (v->kind == VALUE_WORDS)
        printf(":(%s)", v->words);
    else if (v->kind == VALUE_AXIS)
        printf(": %s %s", zsh_action(v->kind), v->words); /* the blank: with these arguments alone */
    else
        printf(":%s", zsh_action(v->kind));
}

static void zsh_option(const struct poptOption *o)
{
    const struct value v = value_of_option(o);
    for (int form = 0; form < 1 + (o->shortName != '\0'); form++) {
        if (form == 0)
            printf(" \\\n            '--%s%s[", o->longName, o->argDescrip ? "=" : "");
        else
            printf(" \\\n            '-%c%s[", o->shortName, o->argDescrip ? "+" : "");
        zsh_text(o->descrip);
        putchar(']');
        if (o->argDescrip)
            zsh_value(o->argDescrip, &v);
        putchar('\'');
    }
}

static void zsh_command(const struct command *c)
{
    const int count = c->positional_max < 4 ? c->positional_max : 4;
    printf("    %s)\n        _arguments '(- *)--help[Show this help]'", c->name);
    for (const struct poptOption *o = c->options; o->longName; o++)
        zsh_option(o);
    for (int i = 0; i < count; i++) {
        struct value v;
        const unsigned kinds = value_of_argument(c, i, &v);
        if (v.kind != VALUE_WORDS) {
            for (int k = 0; k < KINDS; k++) /* of two kinds zsh gets files in general */
                v.kind = kinds == 1u << k ? (enum value_kind)k : v.kind;
            if (v.kind == VALUE_NONE && kinds)
                v.kind = VALUE_FILE;
        }
        printf(" \\\n            '%s", i < c->positional_min ? "" : ":");
        zsh_value("argument", &v);
        putchar('\'');
    }
    puts("\n        ;;");
}

static void write_zsh(void)
{
    fputs(zsh_head, stdout);
    for (const struct command *const *c = commands_all(); *c; c++) {
        printf("        '%s:", (*c)->name);
        zsh_text((*c)->summary);
        puts("'");
    }
    puts("    )\n"
         "    if ((CURRENT == 2)); then\n"
         "        _describe command commands\n"
         "        _arguments '--help[Show this help]' '--version[Show the version]'\n"
         "        return\n"
         "    fi\n"
         "    shift words\n"
         "    ((CURRENT--))\n"
         "    case $words[1] in");
    for (const struct command *const *c = commands_all(); *c; c++)
        zsh_command(*c);
    /* As an autoloaded file the first request loads it and wants an answer at once; else it is sourced. */
    puts("    esac\n}\n\nif [[ ${funcstack[1]} == _firesweep ]]; then\n    _firesweep \"$@\"\nelse\n"
         "    compdef _firesweep firesweep\nfi");
}

static enum status completion_run(const struct args *a, struct err *e)
{
    if (strcmp(a->positional[0], "bash") == 0)
        write_bash();
    else if (strcmp(a->positional[0], "zsh") == 0)
        write_zsh();
    else
        return err_set(e, ST_USAGE, "completion: shell \"%.40s\" is unknown, allowed are bash, zsh",
                       a->positional[0]);
    return ST_OK;
}

const struct command command_completion = {
    .name = "completion",
    .summary = "Script that makes bash or zsh complete firesweep's command lines",
    .positionals = "SHELL",
    .positional_min = 1,
    .positional_max = 1,
    .description =
        "Prints a completion script for SHELL, bash or zsh: commands, options and their values, "
        "databases, specs, and the named queries and their columns, blocks and trials of the database on "
        "the command line. Installed packages have it in place already.",
    .examples = "  firesweep completion bash > ~/.local/share/bash-completion/completions/firesweep\n"
                "  firesweep completion zsh > ~/.zfunc/_firesweep\n",
    .options = options,
    .run = completion_run,
};
