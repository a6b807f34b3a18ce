package recorder

import (
	"context"

	"burnfs/mmc"
)

// dvdPlusR records a DVD+R:
//
//	WRITE(10) … from the NWA on, whole packets of 16 blocks
//	SYNCHRONIZE CACHE
//	CLOSE TRACK/SESSION 001b with the track number
//	CLOSE TRACK/SESSION 010b, or 101b to close the disc
//
// Mode page 05h must not be sent (MMC-5 7.5.3).
type dvdPlusR struct{}

func (dvdPlusR) chunk() uint32                            { return 16 }
func (dvdPlusR) tail() uint32                             { return 0 }
func (dvdPlusR) resumable() bool                          { return true }
func (dvdPlusR) closeTrackFirst() bool                    { return true }
func (dvdPlusR) begin(context.Context, *sequential) error { return nil }

func (dvdPlusR) closeSession(_ context.Context, _ *sequential, keepAppendable bool) (mmc.CloseFunction, error) {
	if keepAppendable {
		return mmc.CloseSession, nil
	}
	return mmc.CloseFinalizeMinimal, nil
}
