package zisofstest

import (
	"fmt"
	"math/rand/v2"
)

// Files is what the images in testdata of package zisofs hold, by name.
func Files() map[string][]byte {
	rng := rand.New(rand.NewChaCha8([32]byte{1}))
	text := func(n int) []byte {
		var b []byte
		for len(b) < n {
			b = fmt.Appendf(b, "%x ", rng.IntN(5)*7919)
		}
		return b[:n]
	}
	noise := make([]byte, 5000)
	for i := range noise {
		noise[i] = byte(rng.Uint32())
	}
	return map[string][]byte{
		"empty":         {},
		"small":         text(100),
		"random":        noise,
		"one block":     text(1 << 15),
		"exact":         text(1 << 17),
		"several":       text(1<<17 + 40_000),
		"holes":         append(append(text(40_000), make([]byte, 1<<18)...), text(10_000)...),
		"zeros":         make([]byte, 500_000),
		"many pointers": append(make([]byte, 70<<17), 'x'),
	}
}
