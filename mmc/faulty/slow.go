package faulty

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"burnfs/mmc/emu"
)

// slowDurations are the members of [emu.Timing] that are durations.
var slowDurations = []struct {
	name  string
	field func(*emu.Timing) *time.Duration
}{
	{"seek", func(t *emu.Timing) *time.Duration { return &t.Seek }},
	{"load", func(t *emu.Timing) *time.Duration { return &t.Load }},
	{"opc", func(t *emu.Timing) *time.Duration { return &t.OPC }},
	{"close", func(t *emu.Timing) *time.Duration { return &t.Close }},
	{"format", func(t *emu.Timing) *time.Duration { return &t.Format }},
	{"blank", func(t *emu.Timing) *time.Duration { return &t.Blank }},
}

// slowNumbers are the others.
var slowNumbers = []struct {
	name, want string
	least      int
	field      func(*emu.Timing) *uint32
}{
	{"speed", "a speed in kB/s", 1, func(t *emu.Timing) *uint32 { return &t.Speed }},
	// The buffer takes at least one WRITE.
	{"buffer", "a number of bytes, at least 65536", 65536, func(t *emu.Timing) *uint32 { return &t.Buffer }},
}

// parseSlow reads what follows the word slow: pairs of name and value.
func (p *Plan) parseSlow(w *words) error {
	const wanted = "speed, buffer, seek, load, opc, close, format or blank, each at most once in a plan"
	for first := true; first || len(w.rest) > 0; first = false {
		known, err := p.parseSlowPair(w, strings.ToLower(w.peek()))
		if err != nil {
			return err
		}
		if !known {
			return w.fail(w.peek(), wanted)
		}
	}
	return nil
}

func (p *Plan) parseSlowPair(w *words, name string) (known bool, err error) {
	for _, s := range slowDurations {
		if f := s.field(&p.slow); s.name == name && *f == 0 {
			w.next()
			*f, err = w.duration()
			return true, err
		}
	}
	for _, s := range slowNumbers {
		if f := s.field(&p.slow); s.name == name && *f == 0 {
			w.next()
			n, err := w.number(s.least, s.want)
			*f = uint32(n)
			return true, err
		}
	}
	return false, nil
}

// peek returns the next word without taking it.
func (w *words) peek() string {
	if len(w.rest) == 0 {
		return ""
	}
	return w.rest[0]
}

func slowText(t emu.Timing) string {
	var b strings.Builder
	for _, s := range slowNumbers {
		if n := *s.field(&t); n != 0 {
			b.WriteString(" " + s.name + " " + strconv.FormatUint(uint64(n), 10))
		}
	}
	for _, s := range slowDurations {
		if d := *s.field(&t); d != 0 {
			fmt.Fprintf(&b, " %s %v", s.name, d)
		}
	}
	return b.String()
}
