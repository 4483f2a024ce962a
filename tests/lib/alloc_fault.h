/* Memory that fails on demand: link with alloc_fault_link_args (-Wl,--wrap=malloc,...), and every allocation of the
 * program comes through here; those inside shared libraries do not.
 *
 *     for (n = 0, met = true; met; n++) {
 *         alloc_fault_arm(n, ALLOC_FAULT_ONCE);
 *         ... what shall survive it ...
 *         met = alloc_fault_disarm();
 *     }
 */
#ifndef LIB_ALLOC_FAULT_H
#define LIB_ALLOC_FAULT_H

#include <stdbool.h>
#include <stddef.h>

enum alloc_fault_kind { ALLOC_FAULT_ONCE, ALLOC_FAULT_FROM_THEN_ON };

/* Lets n_pass allocations through, then fails. */
void alloc_fault_arm(size_t n_pass, enum alloc_fault_kind kind);
bool alloc_fault_disarm(void); /* whether one failed */

/* In between nothing fails and nothing is counted: for what the test itself needs. They nest. */
void alloc_fault_pause(void);
void alloc_fault_resume(void);

#endif
