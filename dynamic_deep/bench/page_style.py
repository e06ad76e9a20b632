# SPDX-License-Identifier: Apache-2.0
"""The style sheet of the report: dark on light, also in print."""

STYLE = """
:root { color-scheme: light; }
body { background: #fff; color: #1a1a1a; margin: 2rem auto; padding: 0 1.5rem;
  max-width: 1040px; font: 15px/1.5 system-ui, "Liberation Sans", Arial, sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 .2rem; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 .6rem; }
h3 { font-size: 1rem; margin: 1.6rem 0 .2rem; } p { margin: .3rem 0 .6rem; }
.quiet { color: #555; } .legend, .notes { color: #444; font-size: .88rem; }
.headline { font-size: 1.05rem; border-left: 4px solid #0072b2; padding-left: .8rem; }
table { border-collapse: collapse; font-size: .84rem;
  font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .16rem .42rem; white-space: nowrap; }
th { vertical-align: bottom; font-weight: 600; border-bottom: 1.5px solid #444; }
th:first-child, td:first-child { text-align: left; padding-left: .2rem; }
td { border-bottom: 1px solid #eee; }
tr.group td { font-weight: 600; padding-top: .8rem; border-bottom: 1px solid #bbb; }
td.between { color: #666; font-size: .78rem; } .unit { font-weight: 400; color: #666; }
.bad { color: #b00020; font-weight: 600; } .wide { overflow-x: auto; }
svg { display: block; max-width: 100%; height: auto; }
svg text { font-family: system-ui, "Liberation Sans", Arial, sans-serif; }
svg.plot { font-size: 13px; max-width: 960px; } svg.ecg { margin: .5rem 0; }
.ladder { display: flex; flex-wrap: wrap; gap: 4px; margin: .4rem 0; font-size: .78rem;
  line-height: 1.25; }
.ladder div { border: 1px solid #ccc; border-radius: 3px; padding: 3px 7px;
  color: #444; }
.ladder div.shown { border: 2px solid #0072b2; color: #1a1a1a; font-weight: 600; }
svg.strip { margin: .3rem 0 .8rem; }
.levels { font-size: .84rem; color: #444; } .levels span { margin-right: 1.2em;
  white-space: nowrap; } .levels i { display: inline-block; width: .9em; height: .9em;
  margin-right: .4em; vertical-align: -.1em; }
@media print { body { margin: 0; max-width: none; } h3, tr { break-after: avoid; }
  svg { break-inside: avoid; } }
"""
