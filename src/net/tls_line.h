/* A connection over TLS, made a plain one: HTTP, and libwebsockets behind it, read and write a socket of this process,
 * and never know of TLS.
 *
 *     client <== TLS ==> fd | decrypts --inward--> inner <-socket pair-> http, websocket
 *                           | encrypts <-outward--
 *
 *     SHAKING --handshake--> OPEN --the server has ended, all is sent--> LINGERING --end of input, 2 s--> gone
 *        \--plain HTTP: told in plain text--> REFUSED --the same--> gone
 *
 * Each way at most 16 kB is held, beside what the kernel's buffers hold: who does not read is not read from. An end of
 * input on one side becomes one on the other (close_notify, RFC 8446, 6.1); a line that breaks without one breaks off
 * for the server, too. The server's own deadlines hold as for plain lines; beyond them only the handshake has one, and
 * who takes nothing for 2 minutes is cut. */
#ifndef NET_TLS_LINE_H
#define NET_TLS_LINE_H

struct list;
struct listener;
struct server;
struct tls_line;

/* Takes fd, whatever happens. */
void tls_line_open(struct server *server, struct listener *listener, int fd);

/* For a draining server: closes what has not shaken hands. */
void tls_line_retire(struct tls_line *line);
void tls_line_destroy(struct tls_line *line);
struct tls_line *tls_line_of_link(struct list *link);

#endif
