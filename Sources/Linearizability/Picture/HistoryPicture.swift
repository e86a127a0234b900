/// A page that shows a person why one key's history is not linearizable.
///
/// One HTML file that needs nothing else, neither network nor script: a row for each client, a bar for each operation from
/// call to reply (open-ended where the outcome is unknown), the longest order found as numbers on the bars, the operation
/// that has no place in red, with a sentence that says why, and the operations that prove it marked. Of a long history it
/// shows what is around the failure.
public struct HistoryPicture: Sendable {
    /// What the page is about, for example the key and the seed of the run.
    public var title: String
    /// Operations shown at most, apart from a few that are needed to understand these. More make the chart wider, not denser.
    public var operationLimit: Int

    public init(title: String, operationLimit: Int = 40) {
        precondition(operationLimit > 0, "a picture of nothing")
        (self.title, self.operationLimit) = (title, operationLimit)
    }

    /// The page, as UTF-8 text.
    ///
    /// - Parameter operations: those that were checked, in the same order.
    public func html(of violation: Violation, in operations: [Operation]) -> String {
        let explanation = Explanation(of: violation, in: operations)
        let excerpt = Excerpt(violation, explanation, operations, atMost: operationLimit)
        let unit = TimeUnit(fitting: operations.map(\.returned).max() ?? 0)
        let chart = Chart(
            operations: operations, violation: violation, excerpt: excerpt, layout: Layout(excerpt, operations),
            witnesses: Set(explanation.witnesses), unit: unit)
        let table = OrderTable(operations: operations, violation: violation, excerpt: excerpt, unit: unit)
        var markup = Markup()
        markup.addRaw("<!DOCTYPE html>\n")
        markup.element("html", ["lang": "en"]) { markup in
            markup.element("head") { markup in
                markup.addRaw("<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n")
                markup.element("title", text: "Not linearizable: \(title)")
                markup.element("style") { $0.addRaw(styleSheet) }
            }
            markup.element("body") { markup in
                drawHeader(explanation, excerpt, operations, &markup)
                chart.draw(into: &markup)
                drawLegend(chart, &markup)
                table.draw(into: &markup)
            }
        }
        return markup.text
    }

    private func drawHeader(
        _ explanation: Explanation, _ excerpt: Excerpt, _ operations: [Operation], _ markup: inout Markup
    ) {
        markup.element("header") { markup in
            markup.element("p", ["class": "verdict"], text: "Not linearizable")
            markup.element("h1", text: title)
            markup.element("p", ["class": "why"], text: explanation.sentence)
            let facts = [
                counted(operations.count, "operation"), counted(Set(operations.map(\.client)).count, "client"),
                counted(operations.count { $0.outcome == .unknown }, "unknown outcome"),
                excerpt.hiddenCalls.isEmpty
                    ? "" : "\(counted(excerpt.hiddenCalls.count, "earlier operation")) not shown",
                excerpt.laterCount == 0 ? "" : "\(counted(excerpt.laterCount, "later operation")) not shown",
            ].filter { !$0.isEmpty }
            markup.element("p", ["class": "facts"], text: facts.joined(separator: " · "))
        }
    }

    private func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

    private func drawLegend(_ chart: Chart, _ markup: inout Markup) {
        let present = Set(chart.excerpt.shown.flatMap(chart.style))
        markup.element("ul", ["class": "legend"]) { markup in
            for (style, text) in [
                ("culprit", "impossible: fits nowhere between call and reply"), ("witness", "proves it"),
                ("read", "read"), ("write", "write"), ("unknown", "outcome unknown: any time after the call, or never"),
                ("refused", "certainly not applied"),
            ] where present.contains(style) {
                markup.element("li") { markup in
                    markup.element("span", ["class": "swatch \(style)"])
                    markup.add(text)
                }
            }
            markup.element("li") { markup in
                markup.element("span", ["class": "pill"], text: "7")
                markup.add("place in the longest order found")
            }
        }
    }
}
