package faulty

import (
	"context"
	"slices"
	"sync"

	"burnfs/mmc"
)

// Transport is a mmc.Transport in which things go wrong.
type Transport struct {
	next mmc.Transport

	mu       sync.Mutex // guards all below
	injector Injector
	ops      []Op
	commands int
	injected int
	// forgetful says that ops is not kept: a drive that is used for days would
	// fill the memory with them.
	forgetful bool
}

var _ mmc.Transport = (*Transport)(nil)

// Wrap makes commands for next go through an injector; nil injects nothing.
func Wrap(next mmc.Transport, in Injector) *Transport {
	return &Transport{next: next, injector: in}
}

// Unwrap returns the wrapped transport.
func (t *Transport) Unwrap() mmc.Transport { return t.next }

// SetInjector replaces the injector from the next command on.
func (t *Transport) SetInjector(in Injector) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.injector = in
}

// Injected returns how many commands have met a fault.
func (t *Transport) Injected() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.injected
}

// Ops returns all commands so far, in order; none of them after [Plan.Wrap].
func (t *Transport) Ops() []Op {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.ops)
}

// Execute hands the command over, or does what the injector says instead.
func (t *Transport) Execute(ctx context.Context, cmd *mmc.Command) error {
	if fault := t.choose(cmd); fault != nil {
		return fault(ctx, t.next, cmd)
	}
	return t.next.Execute(ctx, cmd)
}

func (t *Transport) choose(cmd *mmc.Command) Fault {
	t.mu.Lock()
	defer t.mu.Unlock()
	op := Op{Index: t.commands, Opcode: cmd.Opcode(), CDB: slices.Clone(cmd.CDB)}
	op.LBA, op.Blocks, _ = mmc.BlockRange(cmd.CDB)
	t.commands++
	if !t.forgetful {
		t.ops = append(t.ops, op)
	}
	if t.injector == nil {
		return nil
	}
	fault := t.injector.Inject(op)
	if fault != nil {
		t.injected++
	}
	return fault
}

// Close closes the wrapped transport.
func (t *Transport) Close() error { return t.next.Close() }
