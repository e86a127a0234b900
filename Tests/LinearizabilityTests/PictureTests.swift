import Linearizability
import Testing

@Suite("The picture of a failing history") struct PictureTests {
    private func page(_ history: [Operation], title: String = "key x", limit: Int = 40) throws -> String {
        let violation = try #require(LinearizabilityChecker().check(history).violation)
        return HistoryPicture(title: title, operationLimit: limit).html(of: violation, in: history)
    }

    private let stale = [
        set(3, 0, 10, client: 1), set(5, 20, 30, client: 2), unknown(.set(8), 5, 15, client: 4),
        notApplied(.set(9), 5, 15, client: 5), get(3, 40, 50, client: 3),
    ]

    @Test func `marks the impossible read, its proof, and what is unknown or was not applied`() throws {
        let page = try page(stale)
        #expect(groups("culprit", in: page).map(label) == ["get → 3"])
        #expect(groups("witness", in: page).map(label).sorted() == ["set 3", "set 5"])
        #expect(groups("unknown", in: page).map(label) == ["set 8 → ?"])
        #expect(groups("unknown", in: page).allSatisfy { $0.contains("class=\"tail\"") })
        #expect(groups("refused", in: page).map(label) == ["set 9 → not applied"])
        #expect(
            page.contains("<p class=\"why\">Client 3 read 3 after set 5 of client 2 had been acknowledged at 30 ns"))
    }

    @Test func `has a row for each client and the order found as numbers`() throws {
        let page = try page(stale)
        #expect(texts("name", in: page) == ["client 1", "client 2", "client 3", "client 4", "client 5"])
        let numbers = page.components(from: "<g class=\"point\">", to: "</g>").map { $0.text(of: "text") }
        #expect(numbers == ["1", "2"])
        #expect(page.contains("here it would have answered 5"))
    }

    @Test func `a number stands on its own bar, right of the number before it`() throws {
        var clients = SimulatedClients(random: SplitMix64(seed: 3), clients: 6, operationsEach: 60, unknownRate: 10)
        let page = try page(clients.history().withStaleRead(at: 0.9))
        let points = page.components(from: "<g class=\"point\">", to: "</g>").map { group in
            (number: Int(group.text(of: "text"))!, x: Double(group.text.attribute("x", of: "text"))!)
        }.sorted { $0.number < $1.number }
        #expect(points.count > 20)
        #expect(zip(points, points.dropFirst()).allSatisfy { $0.x < $1.x })
    }

    @Test func `what names and values contain is text, never markup`() throws {
        let evil: Register.Value = "</text><script>alert('1')</script>&\""
        let page = try page([set(evil, 0, 1), get("<b>", 2, 3)], title: "<img src=x> & 'co'")
        for markup in ["<script", "<img", "<b>", "alert('"] { #expect(!page.contains(markup), "\(markup)") }
        #expect(page.contains("&lt;img src=x&gt; &amp; &#39;co&#39;"))
        #expect(page.contains("get → &lt;b&gt;"))
    }

    @Test func `bytes that are no text can be shown`() throws {
        let page = try page([set(.init([0, 7, 0xFF]), 0, 1), get("x", 2, 3)])
        #expect(page.contains("\\x00\\x07\\xFF"))
        #expect(!page.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" })
    }

    @Test func `long values keep both ends, by which they differ`() throws {
        func value(_ end: String) -> Register.Value {
            .init(Array(("v1" + String(repeating: ".", count: 300) + "abcdefghijklmnopqrstuvwxyz" + end).utf8))
        }
        let page = try page([set(value("+2;"), 0, 1), set(value("+3;"), 2, 3), get(value("+2;"), 4, 5)])
        #expect(groups("culprit", in: page).map(label) == ["get → v1.…abcde…pqrstuvwxyz+2;"])
    }

    @Test func `needs nothing from outside`() throws {
        let page = try page(stale)
        for reference in ["http:", "https:", "src=", "href=", "@import", "url(", "<script"] {
            #expect(!page.contains(reference), "\(reference)")
        }
    }

    @Test func `every element that is opened is closed, in order`() throws {
        var open: [Substring] = []
        let page = try page(stale)
        for tag in page.components(from: "<", to: ">").map(\.text) where !tag.hasPrefix("!") && !tag.hasPrefix("meta") {
            if tag.hasPrefix("/") {
                #expect(open.popLast() == tag.dropFirst())
            } else {
                open.append(tag.prefix { $0 != " " })
            }
        }
        #expect(open.isEmpty)
    }

    @Test func `of a long history it shows what is around the failure, and says what it leaves out`() throws {
        var clients = SimulatedClients(random: SplitMix64(seed: 4), clients: 5, operationsEach: 200)
        let history = clients.history().withStaleRead(at: 0.5)
        let page = try page(history, limit: 30)
        let bars = page.components(from: "class=\"bar\"", to: ">").count
        #expect((30...45).contains(bars))
        #expect(page.contains("earlier operations not shown") && page.contains("later operations not shown"))
        // The write that the stale read saw is long past, and shown nevertheless.
        #expect(!groups("witness", in: page).isEmpty && page.contains("hidden</text>"))
        #expect(page.utf8.count < 60_000)
    }

    @Test func `is the same page every time`() throws {
        var clients = SimulatedClients(random: SplitMix64(seed: 5), clients: 5, operationsEach: 100, unknownRate: 9)
        let history = clients.history().withStaleRead(at: 0.8)
        #expect(try page(history) == page(history))
    }

    @Test func `shows a history of one operation`() throws {
        #expect(try groups("culprit", in: page([get(1, 7, 7)])).count == 1)
    }

    @Test func `moments at the ends of the clock can be shown`() throws {
        #expect(try groups("culprit", in: page([set(1, 0, 1), get(2, .max - 1, .max)])).count == 1)
    }

    // MARK: Reading the page

    private func groups(_ style: String, in page: String) -> [Substring] {
        page.components(from: "<g class=\"op ", to: "</g>").map(\.text).filter { group in
            group.prefix { $0 != "\"" }.split(separator: " ").contains { $0 == style }
        }
    }

    private func label(of group: Substring) -> String {
        String(group.components(from: "class=\"label\"", to: "</text>")[0].text.drop { $0 != ">" }.dropFirst())
    }

    private func texts(_ style: String, in page: String) -> [String] {
        page.components(from: "<text class=\"\(style)\"", to: "</text>").map { component in
            String(component.text.drop { $0 != ">" }.dropFirst())
        }
    }
}

/// A piece of a page.
private struct Component {
    let text: Substring

    /// What stands in the first element of this name.
    func text(of element: String) -> String {
        String(text.components(from: "<\(element) ", to: "</\(element)>")[0].text.drop { $0 != ">" }.dropFirst())
    }
}

extension StringProtocol where SubSequence == Substring {
    /// The pieces between two marks.
    fileprivate func components(from start: String, to end: String) -> [Component] {
        var components: [Component] = []
        var rest = self[...]
        while let begin = rest.firstRange(of: start)?.upperBound, let close = rest[begin...].firstRange(of: end) {
            components.append(Component(text: rest[begin..<close.lowerBound]))
            rest = rest[close.upperBound...]
        }
        return components
    }

    /// The attribute's value in the first element of this name.
    fileprivate func attribute(_ name: String, of element: String) -> String {
        let tag = components(from: "<\(element) ", to: ">")[0].text
        return String(tag.components(from: "\(name)=\"", to: "\"")[0].text)
    }
}
