/// A JSON text to print. Keys keep their order, so that the output can be read and compared.
enum JSON: CustomStringConvertible {
    case null
    case boolean(Bool)
    case integer(Int64)
    case string(String)
    case array([JSON])
    case object(KeyValuePairs<String, JSON>)
    /// JSON from a node, passed on as it came: it may have fields that this program does not know.
    case raw(String)

    var description: String {
        switch self {
        case .null: "null"
        case .boolean(let value): String(value)
        case .integer(let value): String(value)
        case .string(let value): Self.quoted(value)
        case .array(let values): "[" + values.map(\.description).joined(separator: ",") + "]"
        case .object(let pairs): "{" + pairs.map { "\(Self.quoted($0)):\($1)" }.joined(separator: ",") + "}"
        case .raw(let text): text
        }
    }

    /// A value of the store: text where it is UTF-8, else its bytes in base64 under another key, so that a reader
    /// cannot take one for the other.
    static func value(_ bytes: [UInt8]) -> (key: String, json: JSON) {
        if let text = String(validating: bytes, as: UTF8.self) { return ("value", .string(text)) }
        return ("value_base64", .string(base64(bytes)))
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    private static func base64(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        var result = ""
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            for digit in 0..<4 { result.append(digit <= group.count ? alphabet[bits >> (18 - 6 * digit) & 63] : "=") }
        }
        return result
    }
}
