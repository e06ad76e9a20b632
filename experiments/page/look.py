# SPDX-License-Identifier: Apache-2.0
"""The style sheet of the page: light or dark as the reader's device, also on a phone.

Figures keep a white ground in both, since their colours were chosen for it.
"""

STYLE = """
:root { color-scheme: light dark; --ground: #fff; --ink: #1a1a1a; --quiet: #555;
  --line: #e2e2e2; --strong-line: #555; --link: #00609c; --code: #f2f3f5; }
@media (prefers-color-scheme: dark) { :root { --ground: #15181c; --ink: #e6e6e6;
  --quiet: #a8adb3; --line: #31363d; --strong-line: #8a9099; --link: #7cc0f0;
  --code: #242930; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
body { background: var(--ground); color: var(--ink); margin: 0;
  font: 16px/1.55 system-ui, "Liberation Sans", Arial, sans-serif; }
header, main { max-width: 64rem; margin: 0 auto; padding: 0 1.2rem; }
header { padding-top: 1.6rem; } main { padding-bottom: 4rem; }
h1 { font-size: 1.8rem; line-height: 1.2; margin: 0 0 .6rem; }
h2 { font-size: 1.3rem; line-height: 1.3; margin: 2.8rem 0 .6rem;
  border-top: 1px solid var(--line); padding-top: 1rem; }
h3 { font-size: 1.05rem; margin: 1.8rem 0 .4rem; }
p, li { max-width: 46rem; } p { margin: .5rem 0 .9rem; overflow-wrap: break-word; }
a { color: var(--link); } h2 a { color: inherit; text-decoration: none; }
h2 a:hover::after { content: " #"; color: var(--quiet); }
code { background: var(--code); border-radius: 3px; padding: .08em .3em;
  font: .87em/1.4 ui-monospace, "Liberation Mono", monospace;
  overflow-wrap: anywhere; }
nav ul { columns: 18rem; padding-left: 1.2rem; margin: .5rem 0; }
.wide { overflow-x: auto; margin: 1rem 0 1.4rem; }
.wide:focus-visible { outline: 2px solid var(--link); }
table { border-collapse: collapse; font-size: .88rem; line-height: 1.4;
  font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--quiet); padding-bottom: .4rem;
  caption-side: top; }
th, td { text-align: left; vertical-align: top; padding: .28rem .6rem;
  border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { padding-left: 0; }
thead th { vertical-align: bottom; font-weight: 600;
  border-bottom: 1.5px solid var(--strong-line); }
.n { text-align: right; white-space: nowrap; }
td:not(.n) { min-width: 6rem; }
figure { margin: 1.2rem 0 1.8rem; }
figure .card { background: #fff; border: 1px solid var(--line); border-radius: 6px;
  padding: .6rem; overflow-x: auto; }
figure svg { display: block; width: 100%; height: auto; margin: 0 auto; }
figcaption { color: var(--quiet); font-size: .9rem; max-width: 46rem;
  margin-top: .5rem; }
.claims td:first-child a { color: inherit; }
@media (min-width: 48.01rem) { .claims td { min-width: 9rem; } }
@media (max-width: 48rem) {
  figure svg { min-width: 32rem; }
  .claims thead { position: absolute; left: -9999px; }
  .claims, .claims tbody, .claims tr, .claims td { display: block; width: 100%; }
  .claims tr { border: 1px solid var(--line); border-radius: 6px; padding: .5rem .7rem;
    margin-bottom: .8rem; }
  .claims td { border: 0; padding: .15rem 0; }
  .claims td:first-child { font-weight: 600; } .claims td:empty { display: none; }
  .claims td:not(:first-child)::before { content: attr(data-of) ": ";
    color: var(--quiet); } }
@media print { .wide { overflow: visible; } figure, tr { break-inside: avoid; }
  h2, h3 { break-after: avoid; } }
"""
