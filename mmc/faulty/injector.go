package faulty

import (
	"fmt"
	"slices"

	"burnfs/mmc"
)

// Op is one command on its way.
type Op struct {
	Index  int        // commands before it
	Opcode mmc.Opcode // byte 0 of CDB
	CDB    []byte     // command descriptor block, not to be changed
	// LBA and Blocks say what a READ or WRITE is about; otherwise they are 0.
	LBA, Blocks uint32
}

// String tells the command and its bytes.
func (o Op) String() string { return fmt.Sprintf("%v, % x", o.Opcode, o.CDB) }

// Injector decides about each command in turn. It returns nil for commands that
// nothing happens to. It is called by one goroutine at a time.
type Injector interface {
	// Inject returns what happens to a command, nil for nothing.
	Inject(Op) Fault
}

// InjectorFunc is a function as an Injector.
type InjectorFunc func(Op) Fault

// Inject calls f.
func (f InjectorFunc) Inject(op Op) Fault { return f(op) }

// Matcher chooses commands.
type Matcher func(Op) bool

// When injects fault into the commands that all matchers choose. A matcher sees
// only the commands that those before it have chosen, so that Nth counts these.
func When(fault Fault, matchers ...Matcher) Injector {
	return InjectorFunc(func(op Op) Fault {
		for _, m := range matchers {
			if !m(op) {
				return nil
			}
		}
		return fault
	})
}

// Any asks injectors one after the other; the first fault counts.
func Any(injectors ...Injector) Injector {
	return InjectorFunc(func(op Op) Fault {
		for _, in := range injectors {
			if f := in.Inject(op); f != nil {
				return f
			}
		}
		return nil
	})
}

// Opcode chooses commands by their operation code.
func Opcode(codes ...mmc.Opcode) Matcher {
	return func(op Op) bool { return slices.Contains(codes, op.Opcode) }
}

// Block chooses READs and WRITEs that touch a block.
func Block(lba uint32) Matcher {
	return func(op Op) bool { return op.LBA <= lba && lba-op.LBA < op.Blocks }
}

// Nth chooses the n-th command, counted from 0.
func Nth(n int) Matcher { return between(n, n+1) }

// First chooses the first n commands.
func First(n int) Matcher { return between(0, n) }

// From chooses the n-th command, counted from 0, and all after it: with Lost it
// is a power cut.
func From(n int) Matcher { return between(n, -1) }

func between(from, to int) Matcher {
	seen := 0
	return func(Op) bool {
		n := seen
		seen++
		return n >= from && (to < 0 || n < to)
	}
}
