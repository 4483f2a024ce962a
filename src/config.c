#include <ctype.h>
#include <string.h>

#include "config_inside.h"

#define AT(member) offsetof(struct config, member)

/* A row for everything that can be set. */
const struct config_option config_options[] = {
    { "data", KIND_TEXT, AT(data), false, "DIR", "where the documents live (./pilcrow-data)" },
    { "memory", KIND_SWITCH, AT(memory), false, NULL,
      "keep the documents in memory, and forget them at the end; --data is not looked at" },
    { "listen", KIND_LIST, AT(listen), false, "ADDR:PORT | unix:PATH",
      "where to listen (127.0.0.1:8080); may be repeated; port 0 takes a free one" },
    { "config", KIND_TEXT, AT(file), false, "FILE", "a JSON object with these settings, named without --" },
    { "allow-origin", KIND_ORIGINS, AT(allow_origin), false, "ORIGIN",
      "also serve pages from ORIGIN, such as https://docs.example.org; may be repeated" },
    { "tls-cert", KIND_TEXT, AT(tls_cert), false, "FILE",
      "speak TLS on TCP: the certificate and those that lead up to its authority, in PEM; SIGHUP reads it again" },
    { "tls-key", KIND_TEXT, AT(tls_key), false, "FILE", "the key of that certificate, in PEM, not encrypted" },
    { "base-path", KIND_BASE, AT(base_path), false, "/PATH, without a slash at its end",
      "everything lies below that path, such as /p, and everything else is 404;\n"
      "for a proxy that passes paths on as they are" },
    { "tokens", KIND_TEXT, AT(tokens), false, "FILE",
      "who may do what, and by which token (docs/http.md); without it everybody may do everything" },
    { "open-to-everyone", KIND_SWITCH, AT(open_to_everyone), false, NULL,
      "listen on other addresses than this machine's own: whoever reaches them may read and change everything" },
    { "disable-type", KIND_TYPES, AT(disable_type), false, "TYPE",
      "create no documents of this type, such as json1; those that exist stay as they are; may be repeated" },
    { "retention", KIND_RULES, AT(retention), false, "COLLECTION=DAYS",
      "keep single operations of that collection's documents for so long, at least 30 days; older ones are merged\n"
      "into one for each author and pause, and the versions between can't be read any more; may be repeated" },
    { "demos", KIND_SWITCH, AT(demos), false, NULL,
      "also serve the demonstrations under /demos/ (docs/demos.md); they write to the collection demos" },
    { "log-format", KIND_FORMAT, AT(log_as_json), false, "text | json", "how diagnostics are written (text)" },
    { "log-level", KIND_LEVEL, AT(log_level), false, "debug | info | warning | error",
      "the least that is written (info)" },
    { "max-message", KIND_SIZE, AT(max_message), false, "SIZE", "ceiling of a WebSocket message (16M)" },
    { "max-document", KIND_SIZE, AT(max_document), false, "SIZE", "ceiling of a document, and of an HTTP body (64M)" },
    { "max-queue", KIND_SIZE, AT(max_queue), false, "SIZE",
      "what may wait for a client that reads too slowly before its line is cut (16M)" },
    { "max-store", KIND_SIZE, AT(max_store), false, "SIZE", "ceiling of the data file (1T)" },
    { "max-unanswered", KIND_COUNT, AT(max_unanswered), false, "N",
      "requests that a connection may leave unanswered before it is not read for a while (1000)" },
    { "max-unanswered-bytes", KIND_SIZE, AT(max_unanswered_bytes), false, "SIZE",
      "the same in bytes of messages (32M)" },
    { "max-snapshots", KIND_COUNT, AT(max_snapshots), false, "N",
      "whole documents that a connection may wait for before it is not read for a while (16)" },
    { "max-subscriptions", KIND_COUNT, AT(max_subscriptions), false, "N",
      "documents that a connection may follow, and channels that it may listen to (10000)" },
    { "max-bulk", KIND_COUNT, AT(max_bulk), false, "N", "documents in one request (10000)" },
    { "max-presences", KIND_COUNT, AT(max_presences), false, "N", "presences that a connection may show (1000)" },
    { "max-queries", KIND_COUNT, AT(max_queries), false, "N", "queries that a connection may have (100)" },
    { "max-query-documents", KIND_COUNT, AT(max_query_documents), false, "N",
      "documents that a query may find (10000)" },
    { "max-query", KIND_SIZE, AT(max_query), false, "SIZE", "ceiling of what a query finds, all of it (8M)" },
    { "max-presence", KIND_SIZE, AT(max_presence), false, "SIZE", "ceiling of a presence (16K)" },
    { "max-components", KIND_COUNT, AT(max_components), false, "N", "ceiling of an operation's components (100000)" },
    { "max-depth", KIND_DEPTH, AT(max_depth), false, "N, at most 1000",
      "ceiling of lists and objects in one another (200)" },
    { "max-transform", KIND_SIZE, AT(max_transform), false, "SIZE",
      "what an operation may be transformed over, counted with itself each time, before it is refused (1G)" },
    { "handshake-seconds", KIND_SECONDS, AT(handshake_seconds), false, "N",
      "for the head of an HTTP request or WebSocket handshake, from its first byte on (10);\n"
      "a body that does not move for three times as long is given up, too" },
    { "idle-seconds", KIND_SECONDS, AT(idle_seconds), false, "N",
      "until a connection without a request is closed; WebSockets may be silent (60)" },
    { "ping-seconds", KIND_SECONDS, AT(ping_seconds), false, "N", "time between two pings of a connection (25)" },
    { "check-config", KIND_SWITCH, AT(check_only), true, NULL, "say whether the settings are in order, and exit" },
    { "version", KIND_SWITCH, AT(wants_version), true, NULL, "print the version, and exit" },
    { "help", KIND_SWITCH, AT(wants_help), true, NULL, "print this, and exit" },
    { "man", KIND_SWITCH, AT(wants_manual), true, NULL, NULL }, /* the manual page; for the build */
};

#define N_OPTIONS (sizeof(config_options) / sizeof(config_options[0]))

const size_t config_n_options = N_OPTIONS;

_Static_assert(N_OPTIONS <= CONFIG_OPTIONS_MAX, "each has its place");

bool config_option_find(const char *name, size_t n_name, size_t *out)
{
    for (size_t i = 0; i < N_OPTIONS; i++) {
        if (strlen(config_options[i].name) == n_name && memcmp(config_options[i].name, name, n_name) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

bool config_row(size_t i, struct config_row *out)
{
    if (i == N_OPTIONS)
        return false;
    *out = (struct config_row){ config_options[i].name, config_options[i].argument, config_options[i].help,
                                config_options[i].is_flag_only };
    return true;
}

/* max-store is PILCROW_MAX_STORE. */
void config_variable(const char *option, char out[CONFIG_VARIABLE_CHARS])
{
    size_t n = strlen("PILCROW_");

    memcpy(out, "PILCROW_", n);
    for (; *option && n + 1 < CONFIG_VARIABLE_CHARS; option++)
        out[n++] = (char)(*option == '-' ? '_' : toupper((unsigned char)*option));
    out[n] = '\0';
}
