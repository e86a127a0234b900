/// Colours follow the reader's light or dark setting. What is told by colour is told by shape or text as well.
let styleSheet: StaticString = """

    :root { color-scheme: light dark;
      --page: #fbfbfa; --text: #1c1e21; --faint: #687078; --line: #d9dce0; --band: #f0f1f3;
      --read: #d7e6fa; --read-edge: #6f9fd8; --write: #d9efdc; --write-edge: #68ab74;
      --open: #eee3f8; --open-edge: #9a70c4; --proof: #e08a00; --bad: #d11a2a; --bad-fill: #fbd9dc;
      --pill: #2b3036; --pill-text: #ffffff; --order: #8a929b; }
    @media (prefers-color-scheme: dark) { :root {
      --page: #16181b; --text: #e6e8ea; --faint: #98a0a8; --line: #343a41; --band: #1d2024;
      --read: #1d344f; --read-edge: #5b8fca; --write: #1d3a25; --write-edge: #57985f;
      --open: #34264a; --open-edge: #a682cf; --proof: #f2a63a; --bad: #ff5a67; --bad-fill: #5a1a22;
      --pill: #dfe3e7; --pill-text: #16181b; --order: #6a727a; } }
    body { margin: 28px 32px 48px; background: var(--page); color: var(--text);
      font: 15px/1.45 system-ui, "DejaVu Sans", sans-serif; }
    header { max-width: 68em; }
    h1 { font-size: 21px; margin: 2px 0 10px; overflow-wrap: anywhere; }
    h2 { font-size: 16px; margin: 30px 0 6px; }
    .verdict { color: var(--bad); font-weight: 700; margin: 0; }
    .why { font-size: 17px; margin: 0 0 8px; padding: 8px 14px; border-left: 4px solid var(--bad);
      background: var(--band); overflow-wrap: anywhere; }
    .facts { color: var(--faint); margin: 6px 0; font-size: 13.5px; }
    .chart { display: flex; margin: 18px 0 10px; border: 1px solid var(--line); border-radius: 8px; overflow: hidden; }
    .gutter { flex: none; border-right: 1px solid var(--line); }
    /* Opens at its right end, where the failure is. */
    .scroll { overflow-x: auto; direction: rtl; flex: 1 1 auto; }
    .scroll svg { direction: ltr; display: block; margin-right: auto; }
    svg text { font: 12px ui-monospace, "DejaVu Sans Mono", Menlo, monospace; fill: var(--text); }
    svg text.name { font: 600 13px system-ui, "DejaVu Sans", sans-serif; }
    svg text.tick, svg text.cutlabel { fill: var(--faint); text-anchor: middle; font-size: 11px; }
    .row { fill: var(--band); }
    .grid { stroke: var(--line); }
    .cut { stroke: var(--faint); stroke-dasharray: 2 4; fill: none; }
    .order { fill: none; stroke: var(--order); stroke-width: 1.2; opacity: 0.55; }
    .failure { stroke: var(--bad); stroke-dasharray: 5 4; stroke-width: 1.4; }
    .known { stroke: var(--proof); stroke-dasharray: 5 4; stroke-width: 1.4; }
    .op .label { text-anchor: middle; }
    .op .bar { stroke-width: 1.3; }
    .endlabel { text-anchor: end; }
    .read .bar { fill: var(--read); stroke: var(--read-edge); }
    .write .bar { fill: var(--write); stroke: var(--write-edge); }
    .unknown .bar { fill: var(--open); stroke: var(--open-edge); stroke-dasharray: 4 3; }
    .unknown .tail { stroke: var(--open-edge); stroke-dasharray: 4 3; stroke-width: 1.3; fill: none; }
    .unknown .open { fill: var(--open-edge); text-anchor: middle; font-size: 14px; }
    .refused .bar { fill: none; stroke: var(--faint); stroke-dasharray: 1 3; }
    .refused .label { fill: var(--faint); text-decoration: line-through; }
    .unplaced .bar { fill-opacity: 0.35; }
    .witness .bar { stroke: var(--proof); stroke-width: 3; }
    .culprit .bar { fill: var(--bad-fill); fill-opacity: 1; stroke: var(--bad); stroke-width: 3; }
    .culprit .label { font-weight: 700; }
    .point rect, .cross rect { fill: var(--pill); stroke: var(--page); stroke-width: 1.2; }
    .point text, .cross text { fill: var(--pill-text); font-size: 10.5px; font-weight: 700; text-anchor: middle; }
    .cross rect { fill: var(--bad); }
    .legend { list-style: none; display: flex; flex-wrap: wrap; gap: 6px 22px; padding: 0; margin: 0;
      font-size: 13px; color: var(--faint); }
    .legend li { display: flex; align-items: center; gap: 7px; }
    .swatch { width: 24px; height: 12px; border-radius: 3px; border: 1.3px solid; box-sizing: border-box; }
    .swatch.read { background: var(--read); border-color: var(--read-edge); }
    .swatch.write { background: var(--write); border-color: var(--write-edge); }
    .swatch.unknown { background: var(--open); border: 1.3px dashed var(--open-edge); border-right: none; }
    .swatch.refused { border: 1.3px dotted var(--faint); }
    .swatch.witness { border: 3px solid var(--proof); }
    .swatch.culprit { background: var(--bad-fill); border: 3px solid var(--bad); }
    .pill { background: var(--pill); color: var(--pill-text); border-radius: 8px; padding: 0 6px; font-size: 11px;
      font-weight: 700; }
    table { border-collapse: collapse; font-size: 13.5px; }
    th { text-align: left; color: var(--faint); font-weight: 600; white-space: nowrap; }
    th, td { padding: 3px 16px 3px 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
    td { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, monospace; font-size: 12.5px; }
    td.number { text-align: right; color: var(--faint); white-space: nowrap; }
    td.time { white-space: nowrap; }
    tr.culprit td { color: var(--bad); font-weight: 700; }

    """
