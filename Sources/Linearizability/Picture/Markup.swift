/// HTML and SVG in the making. Everything that is not a name of the format itself is escaped here, in one place.
struct Markup {
    private(set) var text = ""

    /// An element with what `content` adds.
    mutating func element(
        _ name: StaticString, _ attributes: KeyValuePairs<StaticString, String> = [:],
        _ content: (inout Markup) -> Void = { _ in }
    ) {
        text += "<\(name)"
        for (attribute, value) in attributes { text += " \(attribute)=\"\(Self.escaped(value))\"" }
        text += ">"
        content(&self)
        text += "</\(name)>\n"
    }

    /// An element with a text.
    mutating func element(
        _ name: StaticString, _ attributes: KeyValuePairs<StaticString, String> = [:], text: String
    ) {
        element(name, attributes) { $0.add(text) }
    }

    mutating func add(_ text: String) { self.text += Self.escaped(text) }

    /// Text of our own that is markup or a style sheet already.
    mutating func addRaw(_ text: StaticString) { self.text += "\(text)" }

    /// Characters that neither text nor a quoted attribute may contain, nor XML at all.
    static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            case "\t", "\n": escaped.unicodeScalars.append(scalar)
            case "\0"..<" ", "\u{7F}"..<"\u{A0}": escaped += "\u{FFFD}"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}

/// A length in the picture, to a tenth of a pixel.
func pixels(_ length: Double) -> String {
    let tenths = Int((length * 10).rounded())
    return tenths % 10 == 0 ? "\(tenths / 10)" : "\(Double(tenths) / 10)"
}
