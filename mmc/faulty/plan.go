package faulty

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"burnfs/mmc"
	"burnfs/mmc/emu"
)

// Plan is what goes wrong with a drive, and how slow it is: what [ParsePlan]
// made of a text. It does not change, so that it can be used for many drives.
type Plan struct {
	rules  []rule
	slow   emu.Timing
	seed   uint64
	seeded bool // the seed means something
}

// rule is one line of a plan: which commands meet which effect.
type rule struct {
	any    bool
	opcode mmc.Opcode // unless any
	blocks *blockRange
	when   when
	effect effect
}

// blockRange chooses READs and WRITEs that touch one of its blocks.
type blockRange struct{ first, last uint32 }

// when chooses some of the commands that a rule is about.
type when struct {
	how occurrence
	// n counts commands from 1, or parts in a million for chance.
	n int
}

type occurrence uint8

const (
	always occurrence = iota
	nth
	from
	every
	chance
)

// million is what a chance is a part of.
const million = 1_000_000

// effect is what happens to a command.
type effect interface {
	fmt.Stringer
	// fault makes the fault, for the drive whose power and cable p is.
	fault(p *presence) Fault
}

// Timing returns what makes the drive slow, for [emu.Options].
func (p *Plan) Timing() emu.Timing { return p.slow }

// Seed returns what chance depends on; ok is false if nothing in the plan does.
func (p *Plan) Seed() (seed uint64, ok bool) { return p.seed, p.seeded }

// CutsPower says whether the drive can lose its power: an emulated one must be
// prepared for that, see [emu.Options].
func (p *Plan) CutsPower() bool {
	return slices.ContainsFunc(p.rules, func(r rule) bool { _, ok := r.effect.(powerCut); return ok })
}

// String returns the plan as text that [ParsePlan] reads.
func (p *Plan) String() string {
	var b strings.Builder
	if p.seeded {
		fmt.Fprintf(&b, "seed %d\n", p.seed)
	}
	if s := slowText(p.slow); s != "" {
		fmt.Fprintf(&b, "slow%s\n", s)
	}
	for i := range p.rules {
		fmt.Fprintln(&b, p.rules[i].String())
	}
	return b.String()
}

// Injector makes an injector that begins to count now. Commands are counted by
// each rule; when several rules choose the same command, the first one in the
// plan counts. Commands that a drive without power or without its cable does not
// hear are not counted. Faults that happen are logged as warnings; log may be
// nil.
//
// lose-power needs a drive with a method LosePower() error, as [emu.Drive] has
// it; to others only what is on the cable happens.
func (p *Plan) Injector(log *slog.Logger) Injector {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	in := &planInjector{plan: p, log: log, seen: make([]int, len(p.rules)), rng: rand.New(rand.NewPCG(p.seed, 0))}
	return in
}

// Wrap makes a drive follow the plan.
func (p *Plan) Wrap(drive mmc.Transport, log *slog.Logger) *Transport {
	t := Wrap(drive, p.Injector(log))
	t.forgetful = true
	return t
}

// planInjector is a plan at work with one drive.
type planInjector struct {
	plan     *Plan
	log      *slog.Logger
	seen     []int // commands that each rule was about
	rng      *rand.Rand
	presence presence
}

func (in *planInjector) Inject(op Op) Fault {
	if f := in.presence.fault(); f != nil {
		return f
	}
	chosen := -1
	for i := range in.plan.rules {
		r := &in.plan.rules[i]
		if !r.concerns(op) {
			continue
		}
		in.seen[i]++
		if r.when.holds(in.seen[i], in.rng) && chosen < 0 {
			chosen = i
		}
	}
	if chosen < 0 {
		return nil
	}
	r := &in.plan.rules[chosen]
	in.log.Warn("a fault is injected", "command", op.Opcode, "block", op.LBA, "blocks", op.Blocks, "number", op.Index+1, "rule", r)
	return r.effect.fault(&in.presence)
}

func (r *rule) concerns(op Op) bool {
	if !r.any && r.opcode != op.Opcode {
		return false
	}
	b := r.blocks
	return b == nil || op.Blocks > 0 && op.LBA <= b.last && uint64(op.LBA)+uint64(op.Blocks) > uint64(b.first)
}

func (w when) holds(seen int, rng *rand.Rand) bool {
	switch w.how {
	case nth:
		return seen == w.n
	case from:
		return seen >= w.n
	case every:
		return seen%w.n == 0
	case chance:
		return rng.IntN(million) < w.n
	}
	return true
}

// presence is whether the drive can be reached at all.
type presence struct {
	mu    sync.Mutex // guards all below
	gone  bool
	until time.Time // gone; zero: for good
	// owes says that the next command hears of a reset: 6/29/00.
	owes bool
}

// leave makes the drive disappear for a while, or for good. Afterwards it owes a
// unit attention, unless the drive itself reports one.
func (p *presence) leave(d time.Duration, owes bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gone, p.until, p.owes = d != 0, time.Time{}, owes
	if d != forGood {
		p.until = time.Now().Add(d)
	}
}

// fault returns what the next command meets because the drive is or was gone.
func (p *presence) fault() Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone {
		if p.until.IsZero() || time.Now().Before(p.until) {
			return Lost()
		}
		p.gone = false
	}
	if p.owes {
		return p.greet
	}
	return nil
}

// greet is a command for a drive that came back: unless it is one that is done
// with a unit attention pending (MMC-5 4.1.6.1), it hears of the reset.
func (p *presence) greet(ctx context.Context, drive mmc.Transport, cmd *mmc.Command) error {
	switch cmd.Opcode() {
	case mmc.OpInquiry, mmc.OpGetConfiguration, mmc.OpGetEventStatus:
		return drive.Execute(ctx, cmd)
	}
	p.mu.Lock()
	p.owes = false
	p.mu.Unlock()
	return CheckCondition(mmc.KeyUnitAttention, 0x29, 0x00)(ctx, drive, cmd)
}
