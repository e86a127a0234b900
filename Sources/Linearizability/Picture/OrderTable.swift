/// The order found, as a list with the register's value after each operation, and at its end the operation that fails.
struct OrderTable {
    let operations: [Operation]
    let violation: Violation
    let excerpt: Excerpt
    let unit: TimeUnit

    func draw(into markup: inout Markup) {
        let shown = Set(excerpt.shown)
        // From the first operation after which none is left out, so that each line follows from the one before it.
        let rows = values()
        let first = (rows.lastIndex { !shown.contains($0.index) }).map { $0 + 1 } ?? 0
        markup.element("h2", text: "The longest order found")
        if first > 0 {
            let before = rows[first - 1].value
            markup.element(
                "p", ["class": "facts"],
                text: "Its first \(first) operations are left out; after them the register holds \(text(before)).")
        }
        markup.element("table") { markup in
            markup.element("tr") { markup in
                for title in ["", "operation", "client", "called", "answered", "register after it"] {
                    markup.element("th", text: title)
                }
            }
            for number in first..<rows.count {
                draw(rows[number].index, number: "\(number + 1)", after: text(rows[number].value), nil, &markup)
            }
            draw(violation.culprit, number: "✖", after: wouldAnswer, "culprit", &markup)
        }
    }

    private func values() -> [(index: Int, value: Register.Value?)] {
        var register = Register(violation.initial)
        return violation.order.map { index in
            _ = register.apply(operations[index].call)
            return (index, register.value)
        }
    }

    private var wouldAnswer: String {
        var register = Register(violation.value)
        return
            "here it would have answered \(Words(operations).reply(register.apply(operations[violation.culprit].call)))"
    }

    private func draw(
        _ index: Int, number: String, after: String, _ style: String?, _ markup: inout Markup
    ) {
        let operation = operations[index]
        let answered = operation.outcome == .unknown ? "never" : TimeText.moment(operation.returned, unit)
        markup.element("tr", ["class": style ?? ""]) { markup in
            markup.element("td", ["class": "number"], text: number)
            markup.element("td", text: Words.shortened(operation.description, to: 80))
            markup.element("td", text: "\(operation.client)")
            markup.element("td", ["class": "time"], text: TimeText.moment(operation.invoked, unit))
            markup.element("td", ["class": "time"], text: answered)
            markup.element("td", text: after)
        }
    }

    private func text(_ value: Register.Value?) -> String { Words(operations).value(value) }
}
