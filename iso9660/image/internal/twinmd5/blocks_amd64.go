package twinmd5

import "golang.org/x/sys/cpu"

// fast says that the processor has what blocks needs.
var fast = cpu.X86.HasAVX512F && cpu.X86.HasAVX512VL

// blocks adds the blocks of 64 bytes that p consists of to both states.
//
//go:noescape
func blocks(words *[8]uint32, p []byte)
