import RaftStorage

extension ValueFormat where Value == [FailpointOrder] {
    /// `SITE ACTION [after N]`, with commas between. Empty: none.
    static let failpoints = ValueFormat(
        placeholder: "ORDERS", expected: "failpoints such as 'log-after-sync crash after 3', with commas between",
        tomlKinds: [.string],
        parse: { text in
            var orders: [FailpointOrder] = []
            for part in text.split(separator: ",") {
                let words = part.split(separator: " ").map(String.init)
                guard let order = try? FailpointWords.order(words) else { return nil }
                orders.append(order)
            }
            return orders
        },
        literal: { orders in orders.map(FailpointWords.text).joined(separator: ", ").quoted })
}
