/// The numbers that INCR accepts, by the rules of Redis' `string2ll`: decimal digits of an `Int64` with no plus sign, no
/// space, no leading zero and no `-0`, so that every number has one form.
package enum DecimalInteger {
    package static func parse(_ text: UnsafeRawBufferPointer) -> Int64? {
        let isNegative = text.first == UInt8(ascii: "-")
        let digits = UnsafeRawBufferPointer(rebasing: text[(isNegative ? 1 : 0)...])
        guard let first = digits.first else { return nil }
        if first == UInt8(ascii: "0") { return digits.count == 1 && !isNegative ? 0 : nil }
        var value: Int64 = 0
        for byte in digits {
            let digit = byte &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            // Towards the sign from the start: the least Int64 has no positive twin.
            let (tens, overflowed) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflowedToo) =
                isNegative
                ? tens.subtractingReportingOverflow(Int64(digit)) : tens.addingReportingOverflow(Int64(digit))
            guard !overflowed, !overflowedToo else { return nil }
            value = sum
        }
        return value
    }
}
