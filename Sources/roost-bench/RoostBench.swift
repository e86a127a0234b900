@main struct RoostBench { static func main() {} }
