package posix

import "encoding/binary"

func nativeU16(b []byte) uint16 { return binary.NativeEndian.Uint16(b) }

func nativeU64(b []byte) uint64 { return binary.NativeEndian.Uint64(b) }
