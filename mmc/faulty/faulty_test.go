package faulty_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"burnfs/mmc"
	"burnfs/mmc/faulty"
)

// memory is a drive that stores blocks.
type memory struct {
	blocks   map[uint32][]byte
	commands int
}

func (m *memory) Execute(_ context.Context, cmd *mmc.Command) error {
	m.commands++
	lba, n, _ := mmc.BlockRange(cmd.CDB)
	if int(n)*mmc.BlockSize != len(cmd.Data) {
		return errors.New("CDB and data disagree")
	}
	for i := range n {
		b := cmd.Data[i*mmc.BlockSize:][:mmc.BlockSize]
		if cmd.Direction == mmc.ToDrive {
			m.blocks[lba+i] = bytes.Clone(b)
		} else {
			copy(b, m.blocks[lba+i])
		}
	}
	return nil
}

func (m *memory) Close() error { return nil }

func write(lba, blocks uint32) *mmc.Command {
	return &mmc.Command{
		CDB:       []byte{byte(mmc.OpWrite10), 0, byte(lba >> 24), byte(lba >> 16), byte(lba >> 8), byte(lba), 0, byte(blocks >> 8), byte(blocks), 0},
		Direction: mmc.ToDrive, Data: bytes.Repeat([]byte{7}, int(blocks)*mmc.BlockSize), Timeout: time.Minute,
	}
}

// TestFaults compares each fault with the table of the package comment.
func TestFaults(t *testing.T) {
	for _, c := range []struct {
		name   string
		fault  faulty.Fault
		stored int    // blocks of 4 that arrive
		told   string // "ok", "sense", "transport"
		resid  int    // in blocks
		took   time.Duration
	}{
		{"CheckCondition", faulty.CheckCondition(3, 0x0c, 0), 0, "sense", 4, 0},
		{"After(CheckCondition)", faulty.After(faulty.CheckCondition(3, 0x0c, 0)), 4, "sense", 4, 0},
		{"Deferred", faulty.Deferred(3, 0x0c, 0), 0, "sense", 4, 0},
		{"Lost", faulty.Lost(), 0, "transport", 4, 0},
		{"After(Lost)", faulty.After(faulty.Lost()), 4, "transport", 4, 0},
		{"Hang", faulty.Hang(), 0, "transport", 4, time.Minute},
		{"After(Hang)", faulty.After(faulty.Hang()), 4, "transport", 4, time.Minute},
		{"Pretend", faulty.Pretend(), 0, "ok", 0, 0},
		{"Short", faulty.Short(2*mmc.BlockSize + 100), 2, "ok", 2, 0},
		{"Garble", faulty.Garble(func([]byte) {}), 4, "ok", 0, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			m := &memory{blocks: map[uint32][]byte{}}
			tr := faulty.Wrap(m, faulty.When(c.fault))
			cmd := write(10, 4)
			begin := time.Now()
			err := tr.Execute(t.Context(), cmd)
			told := "ok"
			var se *mmc.SenseError
			var te *mmc.TransportError
			switch {
			case errors.As(err, &se):
				told = "sense"
				if se.Deferred != (c.name == "Deferred") {
					t.Errorf("%s: deferred %v", c.name, se.Deferred)
				}
			case errors.As(err, &te) && errors.Is(err, faulty.ErrInjected):
				told = "transport"
			case err != nil:
				told = err.Error()
			}
			got := fmt.Sprint(len(m.blocks), told, (cmd.Resid+mmc.BlockSize-1)/mmc.BlockSize, time.Since(begin))
			if want := fmt.Sprint(c.stored, c.told, c.resid, c.took); got != want {
				t.Errorf("%s: %s, want %s", c.name, got, want)
			}
		})
	}
}

// TestInjectors counts which of ten commands meet a fault.
func TestInjectors(t *testing.T) {
	lost := faulty.Lost()
	for _, c := range []struct {
		name string
		in   faulty.Injector
		want string
	}{
		{"none", nil, ""},
		{"all", faulty.When(lost), "0123456789"},
		{"third", faulty.When(lost, faulty.Nth(2)), "2"},
		{"first three", faulty.When(lost, faulty.First(3)), "012"},
		{"power cut", faulty.When(lost, faulty.From(8)), "89"},
		{"a block", faulty.When(lost, faulty.Block(12)), "56"},
		{"second of those", faulty.When(lost, faulty.Block(12), faulty.Nth(1)), "6"},
		{"another command", faulty.When(lost, faulty.Opcode(mmc.OpRead10)), ""},
		{"either", faulty.Any(faulty.When(lost, faulty.Nth(1)), faulty.When(lost, faulty.Opcode(mmc.OpWrite10), faulty.Nth(3))), "14"},
	} {
		m := &memory{blocks: map[uint32][]byte{}}
		tr := faulty.Wrap(m, c.in)
		met := ""
		for i := range uint32(10) {
			if tr.Execute(t.Context(), write(2*i, 2+i%2)) != nil {
				met += fmt.Sprint(i)
			}
		}
		if met != c.want || tr.Injected() != len(c.want) || m.commands != 10-len(c.want) || len(tr.Ops()) != 10 {
			t.Errorf("%s: %q, want %q", c.name, met, c.want)
		}
	}
	tr := faulty.Wrap(&memory{blocks: map[uint32][]byte{}}, faulty.When(lost))
	tr.SetInjector(nil)
	if err := tr.Execute(t.Context(), write(0, 1)); err != nil || tr.Unwrap() == nil {
		t.Errorf("without an injector: %v", err)
	}
}
