package speed

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"burnfs/mmc"
)

// rounding is how far a drive's number may lie above the wish and still be meant
// by it (kB/s): 4x on a CD is 705.6, and drives say 705, 706 or 707.
const rounding = 8

// Choose is the fastest offered speed that is not above want, or the slowest one
// if all are; 0 if nothing is offered.
func Choose(want uint32, offered []uint32) uint32 {
	var best, least uint32
	for _, o := range offered {
		if o == 0 {
			continue
		}
		if least == 0 || o < least {
			least = o
		}
		if o <= want+rounding && o > best {
			best = o
		}
	}
	if best == 0 {
		return least
	}
	return best
}

// Offered asks the drive for the writing speeds that it offers for the medium in
// it, in kB/s, fastest first: by GET PERFORMANCE, and older drives by mode page
// 2Ah. A drive that tells none gives none and no error.
func Offered(ctx context.Context, d *mmc.Drive) ([]uint32, error) {
	var all []uint32
	ws, err := d.GetWriteSpeeds(ctx)
	if err != nil && !errors.Is(err, mmc.ErrIllegalRequest) {
		return nil, err
	}
	for _, s := range ws.Speeds() {
		all = append(all, s.WriteSpeed)
	}
	if len(all) == 0 {
		page, err := d.SenseCapabilities(ctx)
		if err != nil && !errors.Is(err, mmc.ErrIllegalRequest) {
			return nil, err
		}
		for _, s := range page.WriteSpeeds() {
			all = append(all, uint32(s))
		}
	}
	slices.Sort(all)
	slices.Reverse(all)
	all = slices.Compact(all)
	return slices.DeleteFunc(all, func(s uint32) bool { return s == 0 }), nil
}

// Settled is what a wish came to.
type Settled struct {
	KBps int // to ask of the drive; 0 leaves it to the drive
	// Note is a sentence for the user when it is not what was wished.
	Note string
}

// Settle finds the speed for the medium in the drive. The errors are those of the
// drive.
func Settle(ctx context.Context, d *mmc.Drive, w Wish) (Settled, error) {
	if w.IsZero() {
		return Settled{}, nil
	}
	if err := d.WaitReady(ctx, "choosing the speed", mmc.ReadyLimit); err != nil {
		return Settled{}, err
	}
	conf, err := d.GetConfiguration(ctx, mmc.AllFeatures, 0)
	if err != nil {
		return Settled{}, err
	}
	p := conf.CurrentProfile()
	offered, err := Offered(ctx, d)
	if err != nil {
		return Settled{}, err
	}
	return settle(w, p, offered), nil
}

func settle(w Wish, p mmc.Profile, offered []uint32) Settled {
	want := w.For(p)
	if want == 0 {
		return Settled{Note: fmt.Sprintf("nobody knows what %v is on this kind of medium (%v); the drive chooses the speed", w, p)}
	}
	got := Choose(uint32(want), offered)
	switch {
	case got == 0:
		return Settled{Note: "the drive does not tell which speeds it offers for this medium; it chooses the speed itself"}
	case got > uint32(want)+rounding:
		return Settled{int(got), fmt.Sprintf("the drive offers nothing as slow as %s for this medium; it burns at its slowest, %s", Text(p, uint32(want)), Text(p, got))}
	case got+rounding < uint32(want):
		return Settled{int(got), fmt.Sprintf("the drive does not offer %s for this medium; it burns at the next lower speed, %s", Text(p, uint32(want)), Text(p, got))}
	}
	return Settled{KBps: int(got)}
}
