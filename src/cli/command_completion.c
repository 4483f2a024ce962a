/* Scripts that complete command lines, one function a shell, of the same tables as `help`. What names a document or a
 * collection is asked of `pilcrow ls`, quietly, and for no longer than a moment. */
#include <stdio.h>

#include "cli/help.h"

/* A word in capitals, in the arguments of commands and of options, says what stands there. */
enum kind { KIND_NONE, KIND_DOC, KIND_COLLECTION, KIND_FILE, KIND_COMMAND, KIND_SHELL, KIND_TYPE };

static const struct kind_row {
    const char *word;
    enum kind kind;
} kinds[] = {
    { "DOC", KIND_DOC },     { "COLLECTION", KIND_COLLECTION },
    { "FILE", KIND_FILE },   { "DIR", KIND_FILE },
    { "DEST", KIND_FILE },   { "OUT", KIND_FILE },
    { "SHELL", KIND_SHELL }, { "COMMAND", KIND_COMMAND },
    { "TYPE", KIND_TYPE },
};

#define SHELLS      "bash zsh fish"
#define TYPES       "text-unicode rich-text json0 json1"
#define MOST_WORDS  4 /* of a command */
#define LS_SECONDS  "2"
#define LS_NAMES    "100"
#define CLEAN_NAMES "grep -x \"[[:alnum:]._-]*\"" /* what else there is, shells would split or expand */

/* What the script for bash calls them. */
static const char *const kind_names[] = {
    [KIND_NONE] = "nothing", [KIND_DOC] = "doc",         [KIND_COLLECTION] = "collection",
    [KIND_FILE] = "file",    [KIND_COMMAND] = "command", [KIND_SHELL] = "shell",
    [KIND_TYPE] = "type",
};

/* text: "DOC[@VERSION]", "FILE|-" */
static enum kind kind_of(const char *text, size_t n)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        size_t n_word = strlen(kinds[i].word);

        if (n >= n_word && memcmp(text, kinds[i].word, n_word) == 0)
            return kinds[i].kind;
    }
    return KIND_NONE;
}

static enum kind kind_of_option(const struct option_row *row)
{
    return kind_of(row->argument, strlen(row->argument));
}

/* Of each word that a command takes; returns their number. */
static size_t words_of(const struct command *command, enum kind out[MOST_WORDS])
{
    const char *at = command->arguments;
    size_t n = 0;

    while (n < MOST_WORDS && *(at += strspn(at, " []"))) {
        size_t n_word = strcspn(at, " ");

        out[n++] = kind_of(at, n_word);
        at += n_word;
    }
    return n;
}

/* ---- bash -------------------------------------------------------------------------------------------------------- */

static void bash_options(const enum option_id *ids, size_t n)
{
    for (size_t i = 0; i < n; i++)
        (void)printf(" --%s", option_rows[ids ? ids[i] : i].name);
}

/* "--server | --data" */
static void bash_options_with_argument(void)
{
    const char *before = "";

    for (size_t i = 0; i < N_OPTIONS; i++) {
        if (!option_rows[i].argument)
            continue;
        (void)printf("%s--%s", before, option_rows[i].name);
        before = " | ";
    }
}

static void bash_begin(void)
{
    (void)printf("# Completes pilcrow in bash: made by `pilcrow completion bash`.\n\n"
                 "_pilcrow_ls() { timeout " LS_SECONDS
                 " \"${words[0]}\" \"${where[@]}\" ls \"$@\" 2>/dev/null | head -n " LS_NAMES
                 " | cut -f 1 | " CLEAN_NAMES "; }\n\n"
                 "_pilcrow()\n"
                 "{\n"
                 "    local line=${COMP_LINE:0:COMP_POINT} word= command= kind= found i n=0\n"
                 "    local -a words where=()\n\n"
                 "    read -ra words <<<\"$line\" # bash itself would split addresses at their colons\n"
                 "    [[ $line == *[[:space:]] ]] && words+=('')\n"
                 "    word=${words[-1]}\n"
                 "    for ((i = 1; i < ${#words[@]} - 1; i++)); do\n"
                 "        case ${words[i]} in\n"
                 "        --server | --token-file | --cacert | --data) where+=(\"${words[i]}\" \"${words[++i]}\") ;;\n"
                 "        ");
    bash_options_with_argument();
    (void)printf(") ((i++)) ;;\n"
                 "        -*) ;;\n"
                 "        *) if [[ $command ]]; then ((n++)); else command=${words[i]}; fi ;;\n"
                 "        esac\n"
                 "    done\n");
}

/* What stands at the place where the cursor is. */
static void bash_kinds(void)
{
    (void)printf("    case ${words[-2]} in\n");
    for (size_t i = 0; i < N_OPTIONS; i++)
        if (option_rows[i].argument)
            (void)printf("    --%s) kind=%s ;;\n", option_rows[i].name, kind_names[kind_of_option(&option_rows[i])]);
    (void)printf("    *)\n"
                 "        case $command:$n in\n"
                 "        :*) kind=command ;;\n");
    for (size_t i = 0; commands[i]; i++) {
        enum kind words[MOST_WORDS];
        size_t n = words_of(commands[i], words);

        for (size_t j = 0; j < n; j++)
            (void)printf("        %s:%zu) kind=%s ;;\n", commands[i]->name, j, kind_names[words[j]]);
    }
    (void)printf("        esac\n"
                 "        [[ $word == -* ]] && kind=options\n"
                 "        ;;\n"
                 "    esac\n");
}

static void bash_command_options(void)
{
    (void)printf("    options)\n        found='");
    bash_options(NULL, N_GLOBAL_OPTIONS);
    (void)printf("'\n        case $command in\n");
    for (size_t i = 0; commands[i]; i++) {
        if (!commands[i]->options.n)
            continue;
        (void)printf("        %s) found+='", commands[i]->name);
        bash_options(commands[i]->options.ids, commands[i]->options.n);
        (void)printf("' ;;\n");
    }
    (void)printf("        esac\n        ;;\n");
}

static void bash_end(void)
{
    (void)printf(
        "    case $kind in\n"
        "    doc)\n"
        "        if [[ $word == */* ]]; then\n"
        "            [[ ${word%%%%/*} =~ ^[[:alnum:]._-]+$ ]] || return\n"
        "            found=$(_pilcrow_ls \"${word%%%%/*}\" --prefix \"${word#*/}\" | sed \"s,^,${word%%%%/*}/,\")\n"
        "        else\n"
        "            found=$(_pilcrow_ls | sed 's,$,/,')\n"
        "            compopt -o nospace 2>/dev/null\n"
        "        fi\n"
        "        ;;\n"
        "    collection) found=$(_pilcrow_ls) ;;\n"
        "    file) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- \"$word\"); return ;;\n"
        "    command) found='");
    for (size_t i = 0; commands[i]; i++)
        (void)printf("%s%s", i ? " " : "", commands[i]->name);
    (void)printf("' ;;\n    shell) found='" SHELLS "' ;;\n    type) found='" TYPES "' ;;\n");
    bash_command_options();
    (void)printf("    esac\n"
                 "    mapfile -t COMPREPLY < <(compgen -W \"$found\" -- \"$word\")\n"
                 "}\n\n"
                 "complete -F _pilcrow pilcrow\n");
}

static void bash_script(void)
{
    bash_begin();
    bash_kinds();
    bash_end();
}

/* ---- zsh --------------------------------------------------------------------------------------------------------- */

/* Within single quotes, and within what _arguments reads. */
static void zsh_text(const char *text)
{
    for (; *text; text++) {
        if (*text == '\'')
            (void)printf("'\\''");
        else
            (void)printf(strchr("[]:\\", *text) ? "\\%c" : "%c", *text);
    }
}

static const char *zsh_action(enum kind kind)
{
    switch (kind) {
    case KIND_DOC: return "_pilcrow_doc";
    case KIND_COLLECTION: return "_pilcrow_collection";
    case KIND_FILE: return "_files";
    case KIND_COMMAND: return "_pilcrow_command";
    case KIND_SHELL: return "(" SHELLS ")";
    case KIND_TYPE: return "(" TYPES ")";
    case KIND_NONE: break;
    }
    return " ";
}

static void zsh_options(const enum option_id *ids, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct option_row *row = &option_rows[ids ? ids[i] : i];

        (void)printf(" \\\n            '--%s[", row->name);
        zsh_text(row->summary);
        if (row->argument)
            (void)printf("]:%s:%s'", row->argument, zsh_action(kind_of_option(row)));
        else
            (void)printf("]'");
    }
}

static void zsh_functions(void)
{
    (void)printf("#compdef pilcrow\n# Completes pilcrow in zsh: made by `pilcrow completion zsh`.\n\n"
                 "_pilcrow_ls() { timeout " LS_SECONDS " pilcrow ls \"$@\" 2>/dev/null | head -n " LS_NAMES
                 " | cut -f 1 | " CLEAN_NAMES "; }\n\n"
                 "_pilcrow_collection() { compadd -- ${(f)\"$(_pilcrow_ls)\"}; }\n\n"
                 "_pilcrow_doc()\n"
                 "{\n"
                 "    if [[ $PREFIX == */* ]]; then\n"
                 "        local collection=${PREFIX%%%%/*}\n"
                 "        compset -P '*/'\n"
                 "        compadd -- ${(f)\"$(_pilcrow_ls \"$collection\" --prefix \"$PREFIX\")\"}\n"
                 "    else\n"
                 "        compadd -S / -- ${(f)\"$(_pilcrow_ls)\"}\n"
                 "    fi\n"
                 "}\n\n"
                 "_pilcrow_command()\n"
                 "{\n"
                 "    local -a all=(");
    for (size_t i = 0; commands[i]; i++) {
        (void)printf("\n        '%s:", commands[i]->name);
        zsh_text(commands[i]->summary);
        (void)printf("'");
    }
    (void)printf("\n    )\n    _describe command all\n}\n\n");
}

static void zsh_script(void)
{
    zsh_functions();
    (void)printf("_pilcrow()\n"
                 "{\n"
                 "    local curcontext=$curcontext state line\n"
                 "    typeset -A opt_args\n\n"
                 "    _arguments -C");
    zsh_options(NULL, N_GLOBAL_OPTIONS);
    (void)printf(" \\\n            '1:COMMAND:_pilcrow_command' '*::word:->words'\n"
                 "    [[ $state == words ]] || return\n"
                 "    case $words[1] in\n");
    for (size_t i = 0; commands[i]; i++) {
        enum kind words[MOST_WORDS];
        size_t n = words_of(commands[i], words);

        (void)printf("    %s)\n        _arguments", commands[i]->name);
        zsh_options(commands[i]->options.ids, commands[i]->options.n);
        for (size_t j = 0; j < n; j++)
            (void)printf(" \\\n            '%zu:word:%s'", j + 1, zsh_action(words[j]));
        (void)printf("\n        ;;\n");
    }
    (void)printf("    esac\n}\n\n_pilcrow \"$@\"\n");
}

/* ---- fish -------------------------------------------------------------------------------------------------------- */

static void fish_text(const char *text)
{
    (void)putchar('\'');
    for (; *text; text++)
        (void)printf(*text == '\'' || *text == '\\' ? "\\%c" : "%c", *text);
    (void)putchar('\'');
}

/* How `complete` is told what may stand there. */
static const char *fish_words(enum kind kind)
{
    switch (kind) {
    case KIND_DOC: return " -a '(__pilcrow_docs)'";
    case KIND_COLLECTION: return " -a '(__pilcrow_ls)'";
    case KIND_FILE: return " -F";
    case KIND_COMMAND: return " -a '(__pilcrow_commands)'";
    case KIND_SHELL: return " -a '" SHELLS "'";
    case KIND_TYPE: return " -a '" TYPES "'";
    case KIND_NONE: break;
    }
    return "";
}

static void fish_options(const char *command, const enum option_id *ids, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct option_row *row = &option_rows[ids ? ids[i] : i];

        (void)printf("complete -c pilcrow");
        if (command)
            (void)printf(" -n '__fish_seen_subcommand_from %s'", command);
        (void)printf(" -l %s%s%s -d ", row->name,
                     !row->argument                     ? ""
                     : kind_of_option(row) == KIND_FILE ? " -r"
                                                        : " -x",
                     row->argument ? fish_words(kind_of_option(row)) : "");
        fish_text(row->summary);
        (void)printf("\n");
    }
}

static void fish_functions(void)
{
    (void)printf("# Completes pilcrow in fish: made by `pilcrow completion fish`.\n\n"
                 "function __pilcrow_ls\n"
                 "    timeout " LS_SECONDS " pilcrow ls $argv 2>/dev/null | head -n " LS_NAMES
                 " | cut -f 1 | " CLEAN_NAMES "\n"
                 "end\n\n"
                 "function __pilcrow_docs\n"
                 "    set -l parts (string split -m 1 / -- (commandline -ct))\n"
                 "    if set -q parts[2]\n"
                 "        __pilcrow_ls $parts[1] --prefix \"$parts[2]\" | sed \"s,^,$parts[1]/,\"\n"
                 "    else\n"
                 "        __pilcrow_ls | sed 's,$,/,'\n"
                 "    end\n"
                 "end\n\n"
                 "function __pilcrow_commands\n"
                 "    printf '%%s\\n'");
    for (size_t i = 0; commands[i]; i++)
        (void)printf(" %s", commands[i]->name);
    (void)printf("\nend\n\ncomplete -c pilcrow -f\n");
}

static void fish_script(void)
{
    fish_functions();
    fish_options(NULL, NULL, N_GLOBAL_OPTIONS);
    for (size_t i = 0; commands[i]; i++) {
        enum kind words[MOST_WORDS];
        size_t n = words_of(commands[i], words);

        (void)printf("complete -c pilcrow -n __fish_use_subcommand -a %s -d ", commands[i]->name);
        fish_text(commands[i]->summary);
        (void)printf("\n");
        fish_options(commands[i]->name, commands[i]->options.ids, commands[i]->options.n);
        for (size_t j = 0; j < n; j++)
            if (words[j])
                (void)printf("complete -c pilcrow -n '__fish_seen_subcommand_from %s'%s\n", commands[i]->name,
                             fish_words(words[j]));
    }
}

/* ---- the command ------------------------------------------------------------------------------------------------- */

static const struct shell {
    const char *name;
    void (*write)(void);
} shells[] = { { "bash", bash_script }, { "zsh", zsh_script }, { "fish", fish_script } };

static int run(struct cli *cli, int n_words, char **words)
{
    for (size_t i = 0; n_words == 1 && i < sizeof(shells) / sizeof(shells[0]); i++) {
        if (strcmp(words[0], shells[i].name) != 0)
            continue;
        shells[i].write();
        return CLI_OK;
    }
    return n_words == 1 ? cli_say(CLI_USAGE, "there is a completion for " SHELLS ", none for %s", words[0])
                        : cli_usage(&command_completion);
}

const struct command command_completion = {
    "completion",
    "SHELL",
    "a script that completes commands: bash, zsh, fish",
    "    source <(pilcrow completion bash)\n"
    "    pilcrow completion zsh >~/.zfunc/_pilcrow\n"
    "    pilcrow completion fish >~/.config/fish/completions/pilcrow.fish\n\n"
    "Where Pilcrow is installed by a package, its completions are in place already. Commands, options, types, and the\n"
    "names of collections and documents, which are asked of the server, or of the store in $PILCROW_DATA.\n",
    ACCESS_NONE,
    run,
    .group = GROUP_TOOLS,
};
