/// The report as a page that stands by itself: no script, nothing from elsewhere.
enum Page {
    static func html(_ report: Report) -> String {
        let sections = [
            headline(report), targets(report), throughput(report), latency(report), cost(report), table(report),
            remarks(report),
        ]
        return """
            <!doctype html><html lang="en"><head><meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>Roost beside RocksDB, Redis and etcd</title><style>\(Style.css)</style></head>
            <body><main>\(sections.joined(separator: "\n"))</main></body></html>
            """
    }

    // MARK: Head

    private static func headline(_ report: Report) -> String {
        let facts = [
            "\(report.machine.cores) cores, \(report.machine.processor)", "\(report.machine.memoryGiB) GiB",
            "Linux \(report.machine.kernel)", "data on \(report.machine.fileSystem)",
        ]
        return """
            <h1>Roost beside RocksDB, Redis and etcd</h1>
            \(report.conditions.map { "<p class=\"soft\">\(escaped($0))</p>" }.joined())
            <div class="facts">\(facts.map { "<span>\(escaped($0))</span>" }.joined())</div>
            \(bigNumbers(report))
            """
    }

    /// The three sentences that one remembers, of those that the run has figures for.
    private static func bigNumbers(_ report: Report) -> String {
        let many = Workload(.write, connections: 64)
        let reads = Workload(.read, connections: 64)
        let piped = Workload(.write, connections: 64, pipeline: 16)
        func times(_ subject: SubjectKind, _ other: SubjectKind, _ workload: Workload, _ words: String) -> String? {
            report.figure(subject, workload)?.ratio(to: report.figure(other, workload)).map {
                card("\(Table.decimals($0, 1))×", words)
            }
        }
        let cards = [
            times(.roost3, .etcd3, many, "etcd's durable writes, three nodes each, 64 connections"),
            times(.roost3, .etcd3, reads, "etcd's linearizable reads, three nodes each, 64 connections"),
            times(.roost1, .rocksdb, many, "raw RocksDB with 64 threads: durable writes over the network"),
            report.figure(.roost1, piped).map {
                card(
                    "\(Table.whole($0.perSecond / 1_000)) k/s",
                    "durable writes on one node, 64 connections x pipeline 16")
            },
        ].compactMap(\.self)
        return cards.isEmpty ? "" : "<div class=\"big\">\(cards.joined())</div>"
    }

    private static func card(_ value: String, _ words: String) -> String {
        "<div class=\"card\"><b>\(escaped(value))</b><span>\(escaped(words))</span></div>"
    }

    private static func targets(_ report: Report) -> String {
        let outcomes = Targets.check(report)
        guard !outcomes.isEmpty else { return "" }
        let rows = outcomes.map { outcome in
            let bound = "\(outcome.isLowerBetter ? "≤" : "≥") \(Table.number(outcome.target, outcome.unit))"
            let color = outcome.isMet ? "var(--good)" : "var(--bad)"
            return
                "<tr><td>\(escaped(outcome.name))</td><td><b>\(escaped(Table.number(outcome.value, outcome.unit)))</b></td>"
                + "<td>\(escaped(bound))</td><td style=\"color:\(color)\">\(escaped(outcome.difference))</td></tr>"
        }
        return """
            <h2>Targets</h2><p class="note">Ratios of figures of this run.</p><div class="card scroll"><table>
            <tr><th>What</th><th>Reached</th><th>Target</th><th></th></tr>\(rows.joined())</table></div>
            """
    }

    // MARK: Pictures

    private static func throughput(_ report: Report) -> String {
        let cards = report.workloads.filter { $0.rate == nil }.map { workload in
            let figures = report.figures(workload)
            let bars = figures.map { figure in
                BarChart.Bar(
                    label: figure.title, color: Style.color(figure.subject), value: figure.perSecond,
                    text: Table.whole(figure.perSecond), range: figure.lowest...figure.highest,
                    remark: remark(figure, figures))
            }
            return chart(workload.name, bars.isEmpty ? "" : BarChart(bars: bars).svg)
        }
        guard !cards.isEmpty else { return "" }
        return """
            <h2>Throughput</h2><p class="note">Operations per second. The line across the end of a bar goes from the slowest
            to the fastest round. On the right: how many times that subject's rate Roost reaches, one node to one, three to
            three.</p><div class="grid">\(cards.joined())</div>
            """
    }

    /// What Roost with as many nodes does beside it.
    private static func remark(_ figure: Figure, _ figures: [Figure]) -> (text: String, isGood: Bool)? {
        guard figure.subject.family != .roost else { return nil }
        let own = figures.first { $0.subject == (figure.subject == .etcd3 ? .roost3 : .roost1) }
        return own?.ratio(to: figure).map { ("Roost \(Table.decimals($0, 2))×", $0 >= 1) }
    }

    private static func latency(_ report: Report) -> String {
        let cards = report.workloads.compactMap { workload -> String? in
            let figures = report.figures(workload)
            guard !figures.isEmpty, workload.connections <= 256 else { return nil }
            return chart(workload.name, LatencyChart.svg(figures))
        }
        guard !cards.isEmpty else { return "" }
        return """
            <h2>Latency</h2><p class="note">Time from the sending of a request to its reply, over the share of operations
            that took no longer. Where a rate is offered, time counts from the moment at which the operation should have
            begun, whether the server let it or not.</p><div class="grid">\(cards.joined())</div>
            """
    }

    private static func cost(_ report: Report) -> String {
        let cards = report.workloads.compactMap { workload -> String? in
            let bars = report.figures(workload).compactMap { figure -> BarChart.Bar? in
                guard let used = figure.cost.processorMicrosecondsPerOperation else { return nil }
                let syncs = figure.cost.syncsPerOperation.map { (text: "\(Table.decimals($0, 3)) syncs", isGood: true) }
                return BarChart.Bar(
                    label: figure.title, color: Style.color(figure.subject), value: used,
                    text: "\(Table.decimals(used, 1)) µs", remark: workload.traffic.reads == 100 ? nil : syncs)
            }
            return bars.isEmpty || workload.rate != nil ? nil : chart(workload.name, BarChart(bars: bars).svg)
        }
        guard !cards.isEmpty else { return "" }
        return """
            <h2>What an operation costs</h2><p class="note">Processor time of all server processes per operation, user and
            system; less is better. On the right: synced writes of the logs per operation, all nodes together, where the
            servers count them.</p><div class="grid">\(cards.joined())</div>
            """
    }

    private static func chart(_ title: String, _ svg: String) -> String {
        "<div class=\"card\"><h3>\(escaped(title.prefix(1).uppercased() + title.dropFirst()))</h3>\(svg)</div>"
    }

    // MARK: Figures in full

    private static func table(_ report: Report) -> String {
        let columns = [
            "", "ops/s", "lowest", "highest", "p50 ms", "p99 ms", "p99.9 ms", "CPU µs/op", "RSS MB", "disk B/op",
            "syncs/op",
        ]
        let rows = report.workloads.map { workload in
            "<tr class=\"group\"><td colspan=\"\(columns.count)\">\(escaped(workload.name))</td></tr>"
                + report.figures(workload).map(row).joined()
        }
        return """
            <h2>All figures</h2><div class="card scroll"><table><tr>\(columns.map { "<th>\($0)</th>" }.joined())</tr>
            \(rows.joined())</table></div>
            """
    }

    private static func row(_ figure: Figure) -> String {
        let (latency, cost) = (figure.latency, figure.cost)
        let cells = [
            escaped(figure.title), Table.whole(figure.perSecond), Table.whole(figure.lowest),
            Table.whole(figure.highest), Table.decimals(latency.p50, 3), Table.decimals(latency.p99, 3),
            Table.decimals(latency.p999, 3),
            cost.processorMicrosecondsPerOperation.map { Table.decimals($0, 1) } ?? "–",
            cost.residentBytes.map { Table.whole(Double($0) / 1e6) } ?? "–",
            cost.writtenBytesPerOperation.map(Table.whole) ?? "–",
            cost.syncsPerOperation.map { Table.decimals($0, 3) } ?? "–",
        ]
        return "<tr title=\"\(escaped(figure.command))\">\(cells.map { "<td>\($0)</td>" }.joined())</tr>"
    }

    private static func remarks(_ report: Report) -> String {
        let lists = [
            ("Failed", report.failureLines), ("Missing", report.missing), ("Left out", report.leftOut),
            ("Versions", report.machine.versions),
        ].filter { !$0.1.isEmpty }
        let commands = report.allFigures.map(\.command)
        return lists.map { name, items in
            "<h2>\(name)</h2><ul>\(items.map { "<li>\(escaped($0))</li>" }.joined())</ul>"
        }.joined() + """
            <h2>Commands</h2><p class="note">Each repeats one figure, with a server that starts empty.</p>
            <details><summary>\(commands.count) commands</summary><pre>\(escaped(commands.joined(separator: "\n")))</pre></details>
            """
    }
}
