/* What a simulation does when a promise was broken: by default it says so on standard error and aborts. */
#ifndef SIM_VIOLATION_H
#define SIM_VIOLATION_H

/* Does not return. invariant: a short name of what does not hold. */
__attribute__((format(printf, 2, 3), noreturn)) void sim_violation(const char *invariant, const char *format, ...);

/* Called first with the finished sentence; may leave the process. */
extern void (*sim_on_violation)(const char *invariant, const char *message);

#endif
