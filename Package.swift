// swift-tools-version: 6.2
import PackageDescription

/// `ROOST_STRICT=1` (set by CI) turns every warning of our own targets into an error.
let strict = Context.environment["ROOST_STRICT"] == "1"

let common: [SwiftSetting] =
    [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    ] + (strict ? [.treatAllWarnings(as: .error)] : [])

/// Layers: an arrow only points down (docs/ARCHITECTURE.md).
let package = Package(
    name: "roost",
    products: [
        .library(name: "Raft", targets: ["Raft", "ByteCoding"]),
        .library(name: "RocksDB", targets: ["RocksDB"]),
        .executable(name: "roostd", targets: ["roostd"]),
        .executable(name: "roostctl", targets: ["roostctl"]),
        .executable(name: "roost-bench", targets: ["roost-bench"]),
        .executable(name: "roost-sim", targets: ["roost-sim"]),
        .executable(name: "roost-budget", targets: ["roost-budget"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // 0: C
        .systemLibrary(name: "CRocksDB", pkgConfig: "rocksdb", providers: [.apt(["librocksdb-dev"])]),
        .target(name: "CChecksum"),
        .target(name: "CEpoll"),
        .target(name: "CFileSystem"),

        // 1: pure
        .target(name: "ByteCoding", dependencies: ["CChecksum"], swiftSettings: common),
        .target(
            name: "Raft",
            dependencies: ["ByteCoding", .product(name: "DequeModule", package: "swift-collections")],
            swiftSettings: common),
        .target(name: "Linearizability", swiftSettings: common),
        .target(name: "RESP", swiftSettings: common),
        .target(name: "RocksDB", dependencies: ["CRocksDB"], swiftSettings: common + [.strictMemorySafety()]),

        // 2: state
        .target(name: "KeyValue", dependencies: ["ByteCoding"], swiftSettings: common),
        .target(
            name: "RaftStorage", dependencies: ["ByteCoding", "CFileSystem", "KeyValue", "Raft", "RocksDB"],
            swiftSettings: common),

        // 3: edges
        .target(
            name: "PeerTransport",
            dependencies: [
                "ByteCoding", "Raft",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ], swiftSettings: common),
        .target(
            name: "RedisServer",
            dependencies: [
                "ByteCoding", "KeyValue", "RESP",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ], swiftSettings: common),
        .target(
            name: "AdminHTTP",
            dependencies: [
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ], swiftSettings: common),

        .target(
            name: "Simulator",
            dependencies: [
                "ByteCoding", "KeyValue", "Linearizability", "Raft", "RaftStorage",
                .product(name: "DequeModule", package: "swift-collections"),
            ], swiftSettings: common),

        // 4: node
        .target(
            name: "RoostNode",
            dependencies: [
                "AdminHTTP", "ByteCoding", "KeyValue", "PeerTransport", "RESP", "Raft", "RaftStorage", "RedisServer",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "TOMLKit", package: "TOMLKit"),
            ], swiftSettings: common),

        // 5: deliverables
        .executableTarget(
            name: "roostd",
            dependencies: [
                "ByteCoding", "KeyValue", "Raft", "RaftStorage", "RoostNode",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ], swiftSettings: common),
        .executableTarget(
            name: "roostctl",
            dependencies: [
                "RESP",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], swiftSettings: common),
        .executableTarget(
            name: "roost-bench",
            dependencies: [
                "ByteCoding", "CEpoll", "KeyValue", "RESP", "Raft", "RaftStorage", "RocksDB",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
            ], swiftSettings: common),

        .executableTarget(
            name: "roost-sim",
            dependencies: [
                "Simulator",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], swiftSettings: common),

        .executableTarget(
            name: "roost-budget",
            dependencies: [
                "ByteCoding", "KeyValue", "RESP", "Raft", "RaftStorage", "RedisServer",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ], swiftSettings: common),

        // Tests
        .testTarget(name: "ByteCodingTests", dependencies: ["ByteCoding"], swiftSettings: common),
        .testTarget(name: "LinearizabilityTests", dependencies: ["Linearizability"], swiftSettings: common),
        .testTarget(
            name: "RaftTests", dependencies: ["Raft", "ByteCoding"], exclude: ["Scenarios", "Tables"],
            swiftSettings: common),
        .testTarget(name: "RESPTests", dependencies: ["RESP"], swiftSettings: common),
        .testTarget(name: "RocksDBTests", dependencies: ["RocksDB"], swiftSettings: common),
        .testTarget(name: "KeyValueTests", dependencies: ["KeyValue", "ByteCoding"], swiftSettings: common),
        .testTarget(
            name: "RaftStorageTests", dependencies: ["RaftStorage", "KeyValue", "Raft", "RocksDB", "ByteCoding"],
            swiftSettings: common),
        .testTarget(
            name: "PeerTransportTests",
            dependencies: [
                "PeerTransport", "Raft", "ByteCoding",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ], swiftSettings: common),
        .testTarget(
            name: "AdminHTTPTests",
            dependencies: [
                "AdminHTTP",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ], swiftSettings: common),
        .testTarget(
            name: "RedisServerTests",
            dependencies: [
                "RedisServer", "KeyValue", "RESP", "ByteCoding",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ], swiftSettings: common),
        .testTarget(
            name: "RoostNodeTests",
            dependencies: [
                "RoostNode", "AdminHTTP", "ByteCoding", "KeyValue", "PeerTransport", "Raft", "RaftStorage",
                "RedisServer",
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: common),
        .testTarget(
            name: "RoostdTests",
            dependencies: [
                "roostd", "ByteCoding", "KeyValue", "Raft", "RaftStorage", "RocksDB", "RoostNode",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: common),
        // Real daemons on loopback: builds roostd and roostctl, then starts them as processes.
        .testTarget(
            name: "ProcessTests", dependencies: ["roostd", "roostctl", "roost-bench", "RESP", "Linearizability"],
            swiftSettings: common),
        // Real daemons that are injured; skipped unless ROOST_CRASH is set (`make crash`).
        .testTarget(
            name: "CrashTests", dependencies: ["roostd", "RESP", "Linearizability"], exclude: ["Shim", "run"],
            swiftSettings: common),
        .testTarget(
            name: "RoostBenchTests",
            dependencies: [
                "roost-bench",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], swiftSettings: common),
        .testTarget(
            name: "SimulatorTests",
            dependencies: ["Simulator", "ByteCoding", "KeyValue", "Linearizability", "Raft", "RaftStorage"],
            swiftSettings: common),
    ]
)
