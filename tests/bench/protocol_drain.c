/* SIGTERM while there is work to do: everybody is told, nothing is lost.
 *
 *     writing --SIGTERM--> writing until 1001 comes --lines closed, process gone--> "drained", a line is read -->
 *     the writers come back to another process --what was not acknowledged, again--> all of it looked at */
#include "tests/bench/protocol_load.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool is_closed(const struct client *client)
{
    return client->line.fd < 0;
}

static bool is_answered(const struct client *client)
{
    return client->n_waiting == 0;
}

static double ms_since(uint64_t begun_ns)
{
    return (double)(now_ns() - begun_ns) / 1e6;
}

static void wait_for_end(const struct load *load, int process)
{
    struct pollfd ended = { .fd = process, .events = POLLIN };

    if (poll(&ended, 1, (int)(load->patience_ns / 1000000)) != 1)
        fail("the server does not end");
}

static void terminate(struct load *load)
{
    int process = (int)syscall(SYS_pidfd_open, load->server, 0);
    uint64_t begun_ns = now_ns();

    load->is_draining = true;
    if (process < 0 || kill(load->server, SIGTERM))
        fail("the server's process is gone: %s", strerror(errno));
    load_turn_until(load, is_closed, "its line is not closed");
    (void)printf(",\"closed_ms\":%.1f", ms_since(begun_ns));
    wait_for_end(load, process);
    (void)printf(",\"ended_ms\":%.1f", ms_since(begun_ns));
    (void)close(process);
    load->is_draining = false;
}

static void find_another(struct load *load)
{
    int port, server;

    (void)printf("}\n");
    (void)fflush(stdout);
    if (scanf("%d %d", &port, &server) != 2)
        fail("there is no other server");
    load->port = port;
    load->server = server;
}

/* The writers only: the first of the clients. Returns how many operations they send again. */
static unsigned come_back(struct load *load)
{
    unsigned n = 0;

    load->n_ready = 0;
    for (unsigned i = 0; i < load->n_documents; i++) {
        struct client *client = &load->clients[i];

        n += client->n_sent - client->n_acknowledged;
        client->state = CLIENT_OPENING;
        client->answer = (struct http_reader){ 0 };
        buffer_finish(&client->parts);
        client_open(client);
    }
    load->n_clients = load->n_documents;
    return n;
}

static bool is_ready(const struct client *client)
{
    return client->state == CLIENT_READY;
}

void load_drain(struct load *load)
{
    unsigned n_clients = load->n_clients;
    uint64_t begun_ns;

    load_pump(load, load->mode->pump);
    load_turn_for(load, load->warm_ns);
    (void)printf(",\"acknowledged_before\":%llu", (unsigned long long)load->n_counted[ACKNOWLEDGED]);
    terminate(load);
    load->pump = NULL;
    (void)printf(",\"acknowledged\":%llu,\"told\":%llu,\"closed\":%u",
                 (unsigned long long)load->n_counted[ACKNOWLEDGED], (unsigned long long)load->n_counted[TOLD],
                 load->n_closed);
    find_another(load);
    begun_ns = now_ns();
    (void)printf("{\"sent_again\":%u", come_back(load));
    load_turn_until(load, is_ready, "it does not come back");
    load_turn_until(load, is_answered, "what it sent again is not acknowledged");
    load_check(load);
    (void)printf(",\"again_ms\":%.1f", ms_since(begun_ns));
    load->n_clients = n_clients;
}
