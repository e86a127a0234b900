// The C API of RocksDB (Debian: librocksdb-dev). It reports every error as text; module RocksDB gives the text a type.
#include <rocksdb/c.h>
