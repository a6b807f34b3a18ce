package recorder

import (
	"context"

	"burnfs/mmc"
)

// bdR records a BD-R in sequential recording mode, which a blank one takes up
// with its first WRITE:
//
//	WRITE(10) … from the NWA on, whole clusters of 32 blocks
//	SYNCHRONIZE CACHE
//	CLOSE TRACK/SESSION 001b with the track number
//	CLOSE TRACK/SESSION 010b, or 110b to close the disc
//
// Mode page 05h must not be sent.
type bdR struct{}

func (bdR) chunk() uint32                            { return 32 }
func (bdR) tail() uint32                             { return 0 }
func (bdR) resumable() bool                          { return true }
func (bdR) closeTrackFirst() bool                    { return true }
func (bdR) begin(context.Context, *sequential) error { return nil }

func (bdR) closeSession(_ context.Context, _ *sequential, keepAppendable bool) (mmc.CloseFunction, error) {
	if keepAppendable {
		return mmc.CloseSession, nil
	}
	return mmc.CloseFinalizeDisc, nil
}
