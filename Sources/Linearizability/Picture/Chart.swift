/// The drawing itself: a column with the clients' names that stays in place, and beside it the bars.
struct Chart {
    private static let gutterWidth = 92.0
    private static let tickDistance = 96.0

    let operations: [Operation]
    let violation: Violation
    let excerpt: Excerpt
    let layout: Layout
    let witnesses: Set<Int>
    let unit: TimeUnit

    func draw(into markup: inout Markup) {
        markup.element("div", ["class": "chart"]) { markup in
            svg(&markup, width: Self.gutterWidth, class: "gutter", drawNames)
            markup.element("div", ["class": "scroll"]) { markup in
                svg(&markup, width: layout.width, class: "bars") { markup in
                    drawRows(&markup)
                    drawAxis(&markup)
                    drawMoments(&markup)
                    drawOrder(&markup)
                    for bar in layout.bars { draw(bar, &markup) }
                    // Above all bars: a number must not hide under a neighbour.
                    for bar in layout.bars { drawPoint(of: bar, &markup) }
                }
            }
        }
    }

    private func svg(
        _ markup: inout Markup, width: Double, class name: String, _ content: (inout Markup) -> Void
    ) {
        markup.element(
            "svg",
            [
                "class": name, "width": pixels(width), "height": pixels(layout.height),
                "viewBox": "0 0 \(pixels(width)) \(pixels(layout.height))", "role": "img",
            ], content)
    }

    private func drawNames(_ markup: inout Markup) {
        for row in layout.rows {
            markup.element(
                "text",
                ["class": "name", "x": "12", "y": pixels(row.y + Layout.barInset + Layout.barHeight / 2 + 4)],
                text: "client \(row.client)")
        }
    }

    private func drawRows(_ markup: inout Markup) {
        for (number, row) in layout.rows.enumerated() where number.isMultiple(of: 2) {
            markup.element(
                "rect",
                [
                    "class": "row", "x": "0", "y": pixels(row.y), "width": pixels(layout.width),
                    "height": pixels(row.height),
                ])
        }
    }

    private func drawAxis(_ markup: inout Markup) {
        for tick in layout.axis.ticks(distance: Self.tickDistance) {
            let x = layout.axis.x(tick)
            line(&markup, "grid", x, Layout.axisHeight - 8, x, layout.height)
            markup.element(
                "text", ["class": "tick", "x": pixels(x), "y": "18"], text: TimeText.moment(tick, unit))
        }
        for cut in layout.axis.cuts {
            let (x, y) = (cut.x, Layout.axisHeight)
            markup.element(
                "path",
                [
                    "class": "cut",
                    "d": "M\(pixels(x - 5)) \(pixels(y)) V\(pixels(layout.height)) M\(pixels(x + 5)) \(pixels(y))"
                        + " V\(pixels(layout.height))",
                ])
            let hidden = cut.hiddenCount == 0 ? "" : ", with \(cut.hiddenCount) operations that are not shown"
            markup.element("g", [:]) { markup in
                markup.element("title", text: "\(TimeText.duration(cut.duration)) cut out\(hidden)")
                markup.element(
                    "text", ["class": "cutlabel", "x": pixels(x), "y": pixels(y - 2)],
                    text: cut.hiddenCount == 0 ? "⋯" : "\(cut.hiddenCount) hidden")
            }
        }
    }

    /// Lines for the moments that the sentence speaks about: the failure's interval, and what was known before.
    private func drawMoments(_ markup: inout Markup) {
        for bar in layout.bars where bar.index == violation.culprit {
            line(&markup, "failure", bar.x, Layout.axisHeight, bar.x, layout.height)
            line(&markup, "failure", bar.end, Layout.axisHeight, bar.end, layout.height)
        }
        for bar in layout.bars where witnesses.contains(bar.index) && bar.tail == nil {
            line(&markup, "known", bar.end, Layout.axisHeight, bar.end, layout.height)
        }
    }

    private func drawOrder(_ markup: inout Markup) {
        let points = layout.bars.compactMap { bar in bar.point.map { (x: $0.x, y: bar.y - 4, number: $0.number) } }
            .sorted { $0.number < $1.number }
        markup.element(
            "polyline",
            ["class": "order", "points": points.map { "\(pixels($0.x)),\(pixels($0.y))" }.joined(separator: " ")])
    }

    private func draw(_ bar: Layout.Bar, _ markup: inout Markup) {
        let operation = operations[bar.index]
        markup.element("g", ["class": style(of: bar.index).joined(separator: " ")]) { markup in
            markup.element("title", text: tooltip(bar.index))
            if let tail = bar.tail {
                markup.element(
                    "path",
                    [
                        "class": "tail",
                        "d": "M\(pixels(bar.end)) \(pixels(bar.y)) H\(pixels(tail)) M\(pixels(bar.end)) "
                            + "\(pixels(bar.y + Layout.barHeight)) H\(pixels(tail))",
                    ])
                markup.element(
                    "text",
                    ["class": "open", "x": pixels(tail - 9), "y": pixels(bar.y + Layout.barHeight / 2 + 4)], text: "▸")
            }
            drawEndLabel(bar, &markup)
            markup.element(
                "rect",
                [
                    "class": "bar", "x": pixels(bar.x), "y": pixels(bar.y), "width": pixels(bar.end - bar.x),
                    "height": pixels(Layout.barHeight), "rx": "5",
                ])
            markup.element(
                "text",
                [
                    "class": "label", "x": pixels((bar.x + bar.end) / 2),
                    "y": pixels(bar.y + Layout.barHeight / 2 + 4.5),
                ], text: Layout.label(operation))
        }
    }

    /// The label once more at the far end of a bar that goes on and on: the near one may be out of sight.
    private func drawEndLabel(_ bar: Layout.Bar, _ markup: inout Markup) {
        let label = Layout.label(operations[bar.index])
        let room = Double(label.count) * Layout.characterWidth + 60
        guard let tail = bar.tail, tail - bar.end > room else { return }
        markup.element(
            "text",
            ["class": "endlabel", "x": pixels(tail - 40), "y": pixels(bar.y + Layout.barHeight / 2 + 4.5)], text: label)
    }

    /// Classes of the style sheet.
    func style(of index: Int) -> [String] {
        let operation = operations[index]
        var style = ["op", operation.call == .get ? "read" : "write"]
        switch operation.outcome {
        case .replied: break
        case .unknown: style.append("unknown")
        case .notApplied: style.append("refused")
        }
        if index == violation.culprit {
            style.append("culprit")
        } else if witnesses.contains(index) {
            style.append("witness")
        }
        if operation.reply != nil, excerpt.numbers[index] == nil { style.append("unplaced") }
        return style
    }

    private func drawPoint(of bar: Layout.Bar, _ markup: inout Markup) {
        if bar.index == violation.culprit {
            drawPill("✖", "cross", at: bar.x + 12, bar.y, title: "no place was found for it", &markup)
        } else if let (x, number) = bar.point {
            drawPill("\(number)", "point", at: x, bar.y, title: "number \(number) of the order found", &markup)
        }
    }

    /// - Parameter y: of the bar's upper edge.
    private func drawPill(
        _ text: String, _ style: String, at x: Double, _ y: Double, title: String, _ markup: inout Markup
    ) {
        let width = 9 + 6.5 * Double(text.count)
        markup.element("g", ["class": style]) { markup in
            markup.element("title", text: title)
            markup.element(
                "rect",
                ["x": pixels(x - width / 2), "y": pixels(y - 12), "width": pixels(width), "height": "16", "rx": "8"])
            markup.element("text", ["x": pixels(x), "y": pixels(y)], text: text)
        }
    }

    private func tooltip(_ index: Int) -> String {
        let operation = operations[index]
        let called = "called at \(TimeText.moment(operation.invoked, unit))"
        let returned = TimeText.moment(operation.returned, unit)
        let ended =
            switch operation.outcome {
            case .replied: "answered at \(returned), \(TimeText.duration(operation.returned - operation.invoked)) later"
            case .unknown: "given up at \(returned); it may take effect at any time after its call, or never"
            case .notApplied: "at \(returned) the store promised that it never takes effect"
            }
        let place =
            switch excerpt.numbers[index] {
            case let number?: "number \(number) of the order found"
            case nil where operation.reply != nil: "no place was found for it"
            case nil: "not in the order found"
            }
        return [operation.description, "client \(operation.client)", called, ended, place].joined(separator: "\n")
    }

    private func line(_ markup: inout Markup, _ name: String, _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double) {
        markup.element(
            "line", ["class": name, "x1": pixels(x1), "y1": pixels(y1), "x2": pixels(x2), "y2": pixels(y2)])
    }
}
