package sgio

import (
	"strings"
	"testing"

	"burnfs/mmc"
)

// TestEveryCommandIsPermitted: an ordinary user of group cdrom can do all that
// package mmc does.
func TestEveryCommandIsPermitted(t *testing.T) {
	known := 0
	for n := range 256 {
		op := mmc.Opcode(n)
		if strings.HasPrefix(op.String(), "command ") {
			continue
		}
		known++
		if accessOf(op) == forbidden {
			t.Errorf("the kernel lets only root send %v", op)
		}
	}
	if known < 30 {
		t.Fatalf("only %d commands have names", known)
	}
}

// TestReadOnlyGuard: what a transport opened for reading lets through.
func TestReadOnlyGuard(t *testing.T) {
	for _, c := range []struct {
		op     mmc.Opcode
		want   bool
		reason string
	}{
		{mmc.OpRead10, false, "reading is what it is for"},
		{mmc.OpPreventAllowRemoval, false, "the door of a disc that is mounted is locked"},
		{mmc.OpStartStopUnit, false, "ejecting"},
		{mmc.OpSetCDSpeed, false, "a quieter drive"},
		{mmc.OpWrite10, true, "writes"},
		{mmc.OpWrite12, true, "writes"},
		{mmc.OpWriteAndVerify10, true, "writes"},
		{mmc.OpFormatUnit, true, "erases"},
		{mmc.OpBlank, true, "erases"},
		{mmc.OpCloseTrackSession, true, "cannot be undone"},
		{mmc.OpReserveTrack, true, "cannot be undone"},
		{mmc.OpSendOPC, true, "uses up the calibration area"},
		{0xd8, true, "nobody knows what it does"},
	} {
		if got := changesMedium(c.op); got != c.want {
			t.Errorf("%v (%s): %v", c.op, c.reason, got)
		}
	}
}
