package recorder

import (
	"context"
	"math"

	"burnfs/mmc"
)

// headroom is added to a speed: drives choose the next lower speed and some
// round badly (kB/s).
const headroom = 2

// maximumSpeed asks SET CD SPEED for all the drive can do (MMC-5 6.37).
const maximumSpeed = 0xffff

// setSpeed asks the drive for the wanted speed. A drive that does not take it
// writes at its own: that is no reason not to write.
func (s *session) setSpeed(ctx context.Context) error {
	if s.opt.SpeedKBps <= 0 {
		return nil
	}
	want := uint32(min(s.opt.SpeedKBps, math.MaxInt32))
	s.slowed = true
	var err error
	if s.info.Profile.IsCD() {
		err = s.d.SetCDSpeed(ctx, maximumSpeed, uint16(min(want+headroom, maximumSpeed)))
	} else {
		err = s.setStreaming(ctx, want)
	}
	if saysNo(err) {
		s.opt.Log.Warn("the drive does not accept the wanted speed and uses its own", "kB/s", want, "err", err)
		return nil
	}
	return err
}

// setStreaming asks for the fastest speed that the drive offers and that is not
// above the wanted one; if it offers only faster ones, for the wanted one.
func (s *session) setStreaming(ctx context.Context, want uint32) error {
	speeds, err := s.d.GetWriteSpeeds(ctx)
	if err != nil && !saysNo(err) {
		return err
	}
	best := mmc.WriteSpeed{}
	for _, o := range speeds.Speeds() {
		if o.WriteSpeed <= want+headroom && o.WriteSpeed > best.WriteSpeed {
			best = o
		}
	}
	if best.WriteSpeed == 0 {
		best = mmc.WriteSpeed{WriteSpeed: want, ReadSpeed: want}
	}
	last := max(best.EndLBA, max(s.info.Total, 1)-1)
	return s.d.SetStreaming(ctx, mmc.NewStreaming(0, last, best.ReadSpeed, best.WriteSpeed))
}

// freeSpeed gives the drive its own speeds back, because SET STREAMING outlives
// the medium. It never fails a burn.
func (s *session) freeSpeed(ctx context.Context) {
	if !s.slowed {
		return
	}
	s.slowed = false
	var err error
	if s.info.Profile.IsCD() {
		err = s.d.SetCDSpeed(ctx, maximumSpeed, maximumSpeed)
	} else {
		err = s.d.SetStreaming(ctx, mmc.NewStreamingDefaults())
	}
	if err != nil {
		s.opt.Log.Debug("the drive keeps its speed", "err", err)
	}
}
