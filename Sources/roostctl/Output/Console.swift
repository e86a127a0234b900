import Glibc

/// The terminal or pipe behind standard output and standard error, unbuffered: a line is out when the call returns,
/// also before a signal or an exit.
enum Console {
    static let outputIsTerminal = isatty(STDOUT_FILENO) == 1

    static func print(_ line: String) { write(Array((line + "\n").utf8), to: STDOUT_FILENO) }

    static func error(_ line: String) { write(Array((line + "\n").utf8), to: STDERR_FILENO) }

    /// A value and a line end: byte for byte into a pipe, but never control characters onto a terminal.
    static func print(value: [UInt8]) {
        if outputIsTerminal {
            print(printable(value))
        } else {
            write(value + [UInt8(ascii: "\n")], to: STDOUT_FILENO)
        }
    }

    /// The value as text; control characters and bytes that are no UTF-8 as `\xNN`.
    static func printable(_ value: [UInt8]) -> String {
        guard let text = String(validating: value, as: UTF8.self) else { return value.map(escaped).joined() }
        return text.unicodeScalars.map { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: String(scalar).utf8.map(hex).joined()
            default: String(scalar)
            }
        }.joined()
    }

    private static func escaped(_ byte: UInt8) -> String {
        (0x20...0x7e).contains(byte) ? String(UnicodeScalar(byte)) : hex(byte)
    }

    private static func hex(_ byte: UInt8) -> String {
        "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }

    /// A reader that went away (`roostctl … | head`) is no error of ours.
    private static func write(_ bytes: [UInt8], to descriptor: Int32) {
        var offset = 0
        while offset < bytes.count {
            let count = bytes[offset...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            offset += count
        }
    }
}
