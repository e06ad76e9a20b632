/* SPDX-License-Identifier: Apache-2.0 */
/* Start-up, counter and output for a Cortex-M4 in QEMU (mps2-an386). With `-icount
   shift=0` an instruction takes 1 ns of its time, so that SysTick counts instructions. */
#include <stdint.h>

#define SYSTICK ((volatile uint32_t *)0xE000E010) /* control, reload, value */
#define COPROCESSORS (*(volatile uint32_t *)0xE000ED88)

extern uint32_t stack_top, bss_start, bss_end;
int main(void);
void reset(void);

static long call_host(int number, const void *argument) {
  register int r0 __asm__("r0") = number;
  register const void *r1 __asm__("r1") = argument;
  __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}

void print(const char *text) { call_host(0x04, text); }

void print_count(const char *name, uint32_t ticks) {
  char digits[12];
  int at = 11;
  digits[at] = 0;
  do digits[--at] = (char)('0' + ticks % 10);
  while (ticks /= 10);
  print(name);
  print(" ");
  print(digits + at);
  print("\n");
}

uint32_t ticks_now(void) { return 0xFFFFFFu - SYSTICK[2]; }

void reset(void) {
  COPROCESSORS |= 0xFu << 20; /* the floating-point unit */
  __asm__ volatile("dsb\nisb");
  for (uint32_t *word = &bss_start; word < &bss_end; word++) *word = 0;
  SYSTICK[1] = 0xFFFFFFu;
  SYSTICK[2] = 0;
  SYSTICK[0] = 5; /* on, from the processor's clock */
  main();
  call_host(0x18, (const void *)0x20026);
  for (;;) {
  }
}

__attribute__((section(".vectors"), used)) const void *const vectors[2] = {
    &stack_top, (const void *)reset};
