package faulty_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"burnfs/mmc"
	"burnfs/mmc/emu"
	"burnfs/mmc/faulty"
)

func parse(t *testing.T, text string) *faulty.Plan {
	t.Helper()
	p, err := faulty.ParsePlan(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestPlanText parses lines and prints them in the way the package prefers.
func TestPlanText(t *testing.T) {
	for _, c := range []struct{ text, want, reason string }{
		{"", "", "an empty plan"},
		{" # nothing\n\n", "", "comments and empty lines"},
		{"WRITE(10) 3: sense 3/0C/00", "WRITE(10) 3: sense 3/0C/00\n", "the example of the manual"},
		{"write(10)  3 :sense 3/c/0 # comment", "WRITE(10) 3: sense 3/0C/00\n", "case and blanks do not matter"},
		{"READ(10) at 5000: hang 30s", "READ(10) at 5000: hang 30s\n", "a block"},
		{"READ(10) at 5-9 from 2: hang", "READ(10) at 5-9 from 2: hang\n", "a range, and a number of times in it"},
		{"any 17: lose-power", "any 17: lose-power\n", "power that is back at once"},
		{"any every 17: lose-power for 1m", "any every 17: lose-power for 1m0s\n", "power that is back later"},
		{"any: vanish for good", "any: vanish for good\n", "gone"},
		{"CLOSE TRACK SESSION 1: lie", "CLOSE TRACK/SESSION 1: lie\n", "a blank for a slash"},
		{"read toc: lost-answer", "READ TOC/PMA/ATIP: lost-answer\n", "as much of the name as is clear"},
		{"2Ah: never-arrives", "WRITE(10): never-arrives\n", "an operation code with a name"},
		{"f0h 1: deferred 4/44/00 done", "F0h 1: deferred 4/44/00 done\n", "an operation code without"},
		{"READ TRACK INFORMATION 1: answer 00FF from 12", "READ TRACK INFORMATION 1: answer 00ff from 12\n", "other bytes"},
		{"WRITE(10) from 100: short 8192", "WRITE(10) from 100: short 8192\n", "fewer bytes"},
		{"any chance 0.5%: lie\nseed 7", "seed 7\nany chance 0.5%: lie\n", "the seed comes first"},
		{"slow close 20s speed 5540\nslow seek 120ms", "slow speed 5540 seek 120ms close 20s\n", "one line for all that is slow"},
		{"slow opc 1s load 2s format 3s blank 4s buffer 1000000", "slow buffer 1000000 load 2s opc 1s format 3s blank 4s\n", "the others"},
	} {
		p, err := faulty.ParsePlan(strings.NewReader(c.text))
		if err != nil {
			t.Errorf("%s: %v", c.reason, err)
			continue
		}
		if p.String() != c.want {
			t.Errorf("%s: %q became %q, want %q", c.reason, c.text, p, c.want)
		}
	}
	p := parse(t, "any chance 50%: lie")
	if _, ok := p.Seed(); !ok || !strings.HasPrefix(p.String(), "seed ") {
		t.Errorf("no seed was chosen: %q", p)
	}
}

// TestPlanErrors has lines that are wrong; the message says where and what was
// expected.
func TestPlanErrors(t *testing.T) {
	for _, c := range []struct {
		text string
		line int
		want string // part of the message
	}{
		{"\n\nWRITE(10) 3 sense 3/0C/00", 3, "a command, a colon"},
		{"WRIT(10): lie", 1, `expected the name of an MMC command like WRITE(10), its operation code like 2Ah, or any, not "WRIT(10)"`},
		{"READ: lie", 1, "the name of an MMC command"},
		{"READ DISC: lie", 1, "one command, READ DISC INFORMATION or READ DISC STRUCTURE"},
		{": lie", 1, "ends where the name of an MMC command"},
		{"any 0: lie", 1, "a number from 1 on"},
		{"any 1 2: lie", 1, `expected a colon, not "2"`},
		{"any at x: lie", 1, "a block number"},
		{"any at 9-8: lie", 1, "a range"},
		{"any from: lie", 1, "ends where a number"},
		{"any chance 50: lie", 1, "a percentage"},
		{"any chance 0%: lie", 1, "a percentage"},
		{"any:", 1, "ends where what happens"},
		{"any: explode", 1, "what happens: sense"},
		{"any: sense 3/0C", 1, "like 3/0C/00"},
		{"any: sense 33/0C/00", 1, "like 3/0C/00"},
		{"any: hang forever", 1, "a duration"},
		{"any: hang -3s", 1, "a duration"},
		{"any: lie twice", 1, `expected the end of the line, not "twice"`},
		{"any: vanish", 1, "ends where for and a duration"},
		{"any: lose-power now", 1, "for and a duration"},
		{"any: answer xyz", 1, "bytes in hexadecimal"},
		{"any: short -1", 1, "the number of bytes"},
		{"seed x", 1, "a number as seed"},
		{"seed 1\nseed 2", 2, "only one seed"},
		{"slow", 1, "speed, buffer"},
		{"slow walk 3s", 1, "speed, buffer"},
		{"slow close 1s\nslow close 2s", 2, "at most once"},
		{"slow speed 0", 1, "a speed in kB/s"},
		{"# " + strings.Repeat("x", 2000), 1, "a line of at most"},
		{strings.Repeat("any 1: lie\n", 1001), 1001, "at most 1000 rules"},
	} {
		_, err := faulty.ParsePlan(strings.NewReader(c.text))
		var se *faulty.SyntaxError
		if !errors.As(err, &se) || se.Line != c.line || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.60q: %v, want line %d and %q", c.text, err, c.line, c.want)
		}
	}
}

// FuzzPlan: whatever is read can be written and read again.
func FuzzPlan(f *testing.F) {
	f.Add("WRITE(10) at 5-9 from 3: sense 3/0C/00 done\nseed 4\nany chance 0.5%: lose-power for 3s\nslow speed 5540 close 1h")
	f.Add("f0h every 2: answer 00ff from 3\nREAD TOC: vanish for good\nREAD(10): hang 1ms\nany: short 4096")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := faulty.ParsePlan(strings.NewReader(text))
		if err != nil {
			var se *faulty.SyntaxError
			if !errors.As(err, &se) || se.Line < 1 || se.Want == "" {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		again, err := faulty.ParsePlan(strings.NewReader(p.String()))
		if err != nil {
			t.Fatalf("%q became %q: %v", text, p, err)
		}
		if !reflect.DeepEqual(p, again) {
			t.Fatalf("%q became %q and then %q", text, p, again)
		}
	})
}

// outcomes sends n WRITEs of one block, each behind the last, and tells how each
// ended: . success, s sense data, a unit attention, t transport error.
func outcomes(ctx context.Context, tr *faulty.Transport, n int) string {
	var b strings.Builder
	for i := range uint32(n) {
		err := tr.Execute(ctx, write(i, 1))
		var se *mmc.SenseError
		switch {
		case err == nil:
			b.WriteByte('.')
		case errors.Is(err, mmc.ErrReset):
			b.WriteByte('a')
		case errors.As(err, &se):
			b.WriteByte('s')
		default:
			b.WriteByte('t')
		}
		time.Sleep(time.Second) // fake time, by which drives that vanish come back
	}
	return b.String()
}

// TestPlanCounts compares which of ten WRITEs, one a second, meet a fault.
func TestPlanCounts(t *testing.T) {
	for _, c := range []struct{ plan, want, reason string }{
		{"WRITE(10) 3: sense 3/0C/00", "..s.......", "the third"},
		{"WRITE(10) from 9: sense 3/0C/00", "........ss", "from the ninth on"},
		{"any every 4: sense 3/0C/00", "...s...s..", "every fourth"},
		{"any at 2-4: never-arrives", "..ttt.....", "a range of blocks"},
		{"any at 2-4 2: never-arrives", "...t......", "the second in a range"},
		{"READ(10): never-arrives", "..........", "another command"},
		{"any 1: sense 3/0C/00\nany 1: never-arrives\nany 2: never-arrives", "st........", "the first rule counts, and all count"},
		{"any 3: vanish for 2500ms", "..ttta....", "gone for a while, then a unit attention"},
		{"any 3: vanish for good", "..tttttttt", "gone for good"},
		{"any 3: lose-power", "..ta......", "power that is back at once"},
		{"any 3: hang 90s", "..t.......", "longer than the timeout"},
		{"any 3: hang 30s", "..........", "shorter than the timeout"},
	} {
		synctest.Test(t, func(t *testing.T) {
			tr := parse(t, c.plan).Wrap(&memory{blocks: map[uint32][]byte{}}, nil)
			if got := outcomes(t.Context(), tr, 10); got != c.want {
				t.Errorf("%s: %s, want %s: %s", c.plan, got, c.want, c.reason)
			}
			if len(tr.Ops()) > 0 {
				t.Error("the commands are kept")
			}
		})
	}
}

// TestPlanChance: the same seed makes the same things happen.
func TestPlanChance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := parse(t, "any chance 30%: never-arrives")
		again := parse(t, p.String())
		run := func(p *faulty.Plan) string {
			return outcomes(t.Context(), p.Wrap(&memory{blocks: map[uint32][]byte{}}, nil), 200)
		}
		first := run(p)
		if n := strings.Count(first, "t"); n < 20 || n > 120 {
			t.Errorf("%d of 200 commands met a chance of 30%%", n)
		}
		if run(p) != first || run(again) != first {
			t.Errorf("%s does not repeat", p)
		}
	})
}

// TestPlanEffects does each effect to a command of a memory with one block.
func TestPlanEffects(t *testing.T) {
	for _, c := range []struct{ effect, want string }{
		{"lie", "00000000"},
		{"answer 0102 from 1", "07010207"},
		{"answer 0102 from 9999", "07070707"},
	} {
		m := &memory{blocks: map[uint32][]byte{0: bytes.Repeat([]byte{7}, mmc.BlockSize)}}
		tr := parse(t, "any: "+c.effect).Wrap(m, nil)
		cmd := &mmc.Command{CDB: []byte{byte(mmc.OpRead10), 0, 0, 0, 0, 0, 0, 0, 1, 0}, Direction: mmc.FromDrive, Data: bytes.Repeat([]byte{9}, mmc.BlockSize)}
		if err := tr.Execute(t.Context(), cmd); err != nil || fmt.Sprintf("%x", cmd.Data[:4]) != c.want {
			t.Errorf("%s: %x, %v", c.effect, cmd.Data[:4], err)
		}
	}
}

// TestPlanLog: what is injected is in the log, with its rule.
func TestPlanLog(t *testing.T) {
	var log bytes.Buffer
	tr := parse(t, "WRITE(10) 2: lie").Wrap(&memory{blocks: map[uint32][]byte{}}, slog.New(slog.NewTextHandler(&log, nil)))
	for i := range uint32(3) {
		if err := tr.Execute(t.Context(), write(i, 1)); err != nil {
			t.Fatal(err)
		}
	}
	if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, `rule="WRITE(10) 2: lie"`) || !strings.Contains(got, "block=1") {
		t.Errorf("log: %s", got)
	}
	if tr.Injected() != 1 {
		t.Errorf("%d faults are counted", tr.Injected())
	}
}

// TestPlanTiming: what is slow is for the emulated drive.
func TestPlanTiming(t *testing.T) {
	p := parse(t, "slow speed 5540 seek 120ms close 14m")
	if got, want := p.Timing(), (emu.Timing{Speed: 5540, Seek: 120 * time.Millisecond, Close: 14 * time.Minute}); got != want {
		t.Errorf("timing %+v, want %+v", got, want)
	}
	if p.CutsPower() || !parse(t, "any 1: lose-power").CutsPower() {
		t.Error("power cuts are not foreseen")
	}
}
