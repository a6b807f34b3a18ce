package twinmd5

import (
	"crypto/md5"
	"math/rand/v2"
	"testing"
)

// TestSums compares both ways of making the sums with crypto/md5, for parts that
// begin and end anywhere and arrive in pieces of any length.
func TestSums(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	message := make([]byte, 1<<12)
	for i := range message {
		message[i] = byte(rnd.Uint32())
	}
	for _, row := range []struct {
		reason string
		make   func() *Sum
	}{
		{"what this computer has", New},
		{"what every computer has", portable},
	} {
		for range 2000 {
			s := row.make()
			from := rnd.IntN(len(message))
			if rnd.IntN(2) == 0 {
				from &^= md5.BlockSize - 1 // where files begin
			}
			to := from + rnd.IntN(len(message)-from+1)
			pieces(rnd, message[:from], s.Write)
			s.Begin()
			pieces(rnd, message[from:to], s.WriteBoth)
			if got, want := s.Part(), md5.Sum(message[from:to]); got != want {
				t.Fatalf("%s: bytes %d to %d: %x instead of %x", row.reason, from, to, got, want)
			}
			if got, want := s.Whole(), md5.Sum(message[:to]); got != want {
				t.Fatalf("%s: to byte %d: %x instead of %x", row.reason, to, got, want)
			}
			pieces(rnd, message[to:], s.Write)
			s.Begin()
			if got, want := s.Whole(), md5.Sum(message); got != want {
				t.Fatalf("%s: all after a part to byte %d: %x instead of %x", row.reason, to, got, want)
			}
			if got, want := s.Part(), md5.Sum(nil); got != want {
				t.Fatalf("%s: an empty part: %x instead of %x", row.reason, got, want)
			}
		}
	}
}

func pieces(rnd *rand.Rand, p []byte, write func([]byte)) {
	for len(p) > 0 {
		n := min(1+rnd.IntN(300), len(p))
		write(p[:n])
		p = p[n:]
	}
}

func BenchmarkBoth(b *testing.B) {
	for _, row := range []struct {
		name string
		make func() *Sum
	}{{"here", New}, {"portable", portable}} {
		b.Run(row.name, func(b *testing.B) {
			p := make([]byte, 1<<18)
			s := row.make()
			b.SetBytes(int64(len(p)))
			for b.Loop() {
				s.WriteBoth(p)
			}
		})
	}
}
