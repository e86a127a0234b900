/// How the page looks, by day and by night.
enum Style {
    static let css = """
        :root { color-scheme: light dark; --ground: #fbfaf7; --card: #ffffff; --ink: #1d2321; --soft: #66706c;
          --line: #e3e1da; --track: #f1efe9; --roost-1: #0f766e; --roost-2: #3aa99f; --rocksdb-1: #b7791f;
          --rocksdb-2: #d9a64e; --redis-1: #c0453a; --etcd-1: #3b6fb6; --etcd-2: #86a9d8; --good: #0f766e; --bad: #b4552d; }
        @media (prefers-color-scheme: dark) { :root { --ground: #14181a; --card: #1c2224; --ink: #e8ecea; --soft: #97a39f;
          --line: #2c3437; --track: #252c2f; --roost-1: #2fb3a6; --roost-2: #7ad3c9; --rocksdb-1: #d9a64e;
          --rocksdb-2: #8f6b2c; --redis-1: #e2776c; --etcd-1: #6d9de0; --etcd-2: #43659a; --good: #4fc4b7; --bad: #e58a5f; } }
        * { box-sizing: border-box }
        body { margin: 0; background: var(--ground); color: var(--ink);
          font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
        main { max-width: 1180px; margin: 0 auto; padding: 40px 24px 80px; }
        h1 { font-size: 34px; line-height: 1.15; letter-spacing: -.02em; margin: 0 0 10px; text-wrap: balance; }
        h2 { font-size: 21px; letter-spacing: -.01em; margin: 52px 0 4px; }
        h3 { font-size: 15px; margin: 0 0 2px; }
        p { margin: 4px 0; } .soft, .note { color: var(--soft); } .note { font-size: 13px; margin-bottom: 14px; max-width: 75ch; }
        .grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(500px, 1fr)); gap: 16px; margin-top: 14px; }
        .card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 16px 18px; min-width: 0; }
        .facts { display: flex; flex-wrap: wrap; gap: 6px 22px; font-size: 13px; color: var(--soft); margin-top: 12px; }
        .big { display: grid; grid-template-columns: repeat(auto-fit, minmax(210px, 1fr)); gap: 14px; margin-top: 26px; }
        .big .card { padding: 18px 20px; } .big b { display: block; font-size: 38px; line-height: 1.1; letter-spacing: -.03em; }
        .big span { font-size: 13px; color: var(--soft); }
        svg { display: block; width: 100%; height: auto; overflow: visible; }
        svg text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; fill: var(--ink); }
        svg .s { fill: var(--soft); } svg .v { font-variant-numeric: tabular-nums; } svg .b { font-weight: 600; }
        svg .good { fill: var(--good); } svg .bad { fill: var(--bad); }
        svg .track { fill: var(--track); } svg .rule { stroke: var(--line); } svg .whisker { stroke: var(--ink); stroke-opacity: .45; }
        .legend { display: flex; flex-wrap: wrap; gap: 4px 16px; font-size: 12px; color: var(--soft); margin-top: 8px; }
        .legend i { display: inline-block; width: 14px; height: 3px; border-radius: 2px; vertical-align: 4px; margin-right: 6px; }
        .scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: 13px; margin-top: 10px; }
        th { text-align: right; font-weight: 500; color: var(--soft); border-bottom: 1px solid var(--line); padding: 5px 10px; white-space: nowrap; }
        td { text-align: right; padding: 4px 10px; font-variant-numeric: tabular-nums; white-space: nowrap; }
        th:first-child, td:first-child { text-align: left; padding-left: 0; }
        tr.group td { font-weight: 600; padding-top: 14px; border-bottom: 1px solid var(--line); }
        tr:hover td { background: var(--track); } tr.group:hover td { background: none; }
        details { margin-top: 8px; } summary { cursor: pointer; color: var(--soft); font-size: 13px; }
        pre { font: 12px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; background: var(--track); border-radius: 8px;
          padding: 12px 14px; overflow-x: auto; }
        ul { margin: 6px 0; padding-left: 20px; font-size: 13px; }
        @media (max-width: 560px) { .grid { grid-template-columns: 1fr; } h1 { font-size: 27px; } main { padding: 24px 14px 60px; } }
        """

    /// The colour of a subject: its family's, lighter for its lesser members.
    static func color(_ subject: SubjectKind) -> String {
        switch subject {
        case .rocksdb: "var(--rocksdb-1)"
        case .rocksdbBatch64, .rocksdbBatch512: "var(--rocksdb-2)"
        case .roost1, .roost3: "var(--roost-1)"
        case .storageBatch64, .storageBatch512, .roost1Lease, .roost3Lease, .roost3Follower: "var(--roost-2)"
        case .redis: "var(--redis-1)"
        case .etcd1: "var(--etcd-2)"
        case .etcd3: "var(--etcd-1)"
        }
    }

    /// Clusters of three are dashed, where lines share a colour.
    static func dash(_ subject: SubjectKind) -> String {
        switch subject {
        case .roost3, .roost3Lease, .rocksdbBatch512, .storageBatch512: " stroke-dasharray=\"7 4\""
        case .roost3Follower: " stroke-dasharray=\"2 4\""
        case .rocksdb, .rocksdbBatch64, .storageBatch64, .roost1, .roost1Lease, .redis, .etcd1, .etcd3: ""
        }
    }
}

/// Text that may stand in HTML, also within quotes.
func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
        .replacing("\"", with: "&quot;")
}
