package mmc

import (
	"bytes"
	"context"
	"encoding/hex"
	"strings"
	"testing"
)

// TestCommands compares the CDB and the data of every command with the bytes
// that the standard demands.
func TestCommands(t *testing.T) {
	ctx := context.Background()
	page := NewWriteParameters()
	page.SetBUFE(true)
	page.SetWriteType(WriteTAO)
	page.SetMultiSession(MultiSessionNext)
	page.SetTrackMode(ControlData)
	page.SetDataBlockType(BlockTypeMode1)
	page.SetAudioPauseLength(150)
	block := make([]byte, 2*BlockSize)
	sheet := CueSheet(nil).
		Append(ControlData, 0, 0, FormXAPause, MSF{}).
		Append(ControlData, 1, 0, FormXA, MSFOf(-150)).
		Append(ControlData, 1, 1, FormXA, MSFOf(0)).
		Append(ControlData, TOCLeadOut, 1, FormXAPause, MSFOf(300))
	for _, c := range []struct {
		name string
		run  func(d *Drive) error
		cdb  string
		dir  Direction
		data string // of commands that send data, without the zeros at the end
		n    int    // length of the data phase
		why  string
	}{
		{"TEST UNIT READY", func(d *Drive) error { return d.TestUnitReady(ctx) },
			"00 00 00 00 00 00", NoData, "", 0, "MMC-5 6.42"},
		{"REQUEST SENSE", func(d *Drive) error { _, err := d.RequestSense(ctx); return err },
			"03 00 00 00 12 00", FromDrive, "", 18, "MMC-5 6.30: DESC 0, 18 bytes"},
		{"INQUIRY", func(d *Drive) error { _, err := d.Inquiry(ctx); return err },
			"12 00 00 00 24 00", FromDrive, "", 36, "SPC-3 6.4: standard data"},
		{"START STOP UNIT", func(d *Drive) error { return d.StartStopUnit(ctx, true, Eject) },
			"1b 01 00 00 02 00", NoData, "", 0, "MMC-5 6.40: LoEj without Start ejects"},
		{"START STOP UNIT load", func(d *Drive) error { return d.StartStopUnit(ctx, false, Load) },
			"1b 00 00 00 03 00", NoData, "", 0, "MMC-5 6.40: LoEj with Start loads"},
		{"PREVENT", func(d *Drive) error { return d.PreventAllowMediumRemoval(ctx, true) },
			"1e 00 00 00 01 00", NoData, "", 0, "MMC-5 6.14"},
		{"ALLOW", func(d *Drive) error { return d.PreventAllowMediumRemoval(ctx, false) },
			"1e 00 00 00 00 00", NoData, "", 0, "MMC-5 6.14"},
		{"READ FORMAT CAPACITIES", func(d *Drive) error { _, err := d.ReadFormatCapacities(ctx); return err },
			"23 00 00 00 00 00 00 01 04 00", FromDrive, "", 260, "MMC-5 6.24: header and 32 descriptors"},
		{"READ CAPACITY", func(d *Drive) error { _, err := d.ReadCapacity(ctx); return err },
			"25 00 00 00 00 00 00 00 00 00", FromDrive, "", 8, "MMC-5 6.19"},
		{"READ(10)", func(d *Drive) error { return d.Read10(ctx, 0x01020304, block) },
			"28 00 01 02 03 04 00 00 02 00", FromDrive, "", 4096, "MMC-5 6.15"},
		{"WRITE(10)", func(d *Drive) error { return d.Write10(ctx, 0x01020304, block) },
			"2a 00 01 02 03 04 00 00 02 00", ToDrive, "", 4096, "MMC-5 6.44"},
		{"WRITE AND VERIFY(10)", func(d *Drive) error { return d.WriteAndVerify10(ctx, 0x01020304, block) },
			"2e 00 01 02 03 04 00 00 02 00", ToDrive, "", 4096, "MMC-5 6.46"},
		{"SYNCHRONIZE CACHE", func(d *Drive) error { return d.SynchronizeCache(ctx, false) },
			"35 00 00 00 00 00 00 00 00 00", NoData, "", 0, "MMC-5 6.41: everything"},
		{"SYNCHRONIZE CACHE immed", func(d *Drive) error { return d.SynchronizeCache(ctx, true) },
			"35 02 00 00 00 00 00 00 00 00", NoData, "", 0, "MMC-5 6.41: Immed is bit 1"},
		{"READ TOC formatted", func(d *Drive) error { _, err := d.ReadTOC(ctx, TOCFormatted); return err },
			"43 00 00 00 00 00 00 03 2c 00", FromDrive, "", 812, "MMC-5 6.26: LBA form, all tracks"},
		{"READ TOC multisession", func(d *Drive) error { _, err := d.ReadTOC(ctx, TOCMultisess); return err },
			"43 00 01 00 00 00 00 00 0c 00", FromDrive, "", 12, "MMC-5 6.26.2.5 format 0001b"},
		{"READ TOC full", func(d *Drive) error { _, err := d.ReadFullTOC(ctx); return err },
			"43 00 02 00 00 00 01 15 49 00", FromDrive, "", 5449, "MMC-5 6.26.2.5 format 0010b, from session 1"},
		{"GET CONFIGURATION", func(d *Drive) error { _, err := d.GetConfiguration(ctx, OneFeature, FeatureIncremental); return err },
			"46 02 00 21 00 00 00 10 00 00", FromDrive, "", 4096, "MMC-5 6.6"},
		{"GET EVENT STATUS NOTIFICATION", func(d *Drive) error { _, err := d.GetEventStatus(ctx, EventMedia); return err },
			"4a 01 00 00 10 00 00 00 08 00", FromDrive, "", 8, "MMC-5 6.7: polled, class 4 is bit 4"},
		{"READ DISC INFORMATION", func(d *Drive) error { _, err := d.ReadDiscInformation(ctx); return err },
			"51 00 00 00 00 00 00 00 22 00", FromDrive, "", 34, "MMC-5 6.22: standard information without OPC tables"},
		{"READ DISC INFORMATION POW", func(d *Drive) error { _, err := d.ReadPOWResources(ctx); return err },
			"51 02 00 00 00 00 00 00 10 00", FromDrive, "", 16, "MMC-5 6.22.2.1: data type 010b in bits 0 to 2"},
		{"READ TRACK INFORMATION", func(d *Drive) error { _, err := d.ReadTrackInformation(ctx, ByTrack, InvisibleTrack); return err },
			"52 01 00 00 00 ff 00 00 30 00", FromDrive, "", 48, "MMC-5 6.27: type 01b, track FFh"},
		{"RESERVE TRACK", func(d *Drive) error { return d.ReserveTrack(ctx, 0x01020304) },
			"53 00 00 00 00 01 02 03 04 00", NoData, "", 0, "MMC-5 6.31: size in bytes 5 to 8"},
		{"SEND OPC INFORMATION", func(d *Drive) error { return d.SendOPC(ctx) },
			"54 01 00 00 00 00 00 00 00 00", NoData, "", 0, "MMC-5 6.36: DoOPC"},
		{"MODE SELECT(10) page 05h", func(d *Drive) error { return d.SelectWriteParameters(ctx, page) },
			"55 10 00 00 00 00 00 00 3c 00", ToDrive,
			"00 00 00 00 00 00 00 00 05 32 41 c4 08 00 00 00 00 00 00 00 00 00 00 96", 60, "MMC-5 7.5.4: BUFE TAO, multi-session 11b, track mode 4, block type 8, pause 150"},
		{"MODE SENSE(10) page 05h", func(d *Drive) error { _, err := d.SenseWriteParameters(ctx); return err },
			"5a 08 05 00 00 00 00 02 00 00", FromDrive, "", 512, "MMC-5 6.13: DBD, current values"},
		{"MODE SENSE(10) changeable", func(d *Drive) error { _, err := d.ModeSense10(ctx, ChangeableValues, 0x01); return err },
			"5a 08 41 00 00 00 00 02 00 00", FromDrive, "", 512, "SPC-3 6.10: PC in the top bits"},
		{"MODE SENSE(10) page 2Ah", func(d *Drive) error { _, err := d.SenseCapabilities(ctx); return err },
			"5a 08 2a 00 00 00 00 02 00 00", FromDrive, "", 512, "MMC-5 6.13"},
		{"CLOSE TRACK", func(d *Drive) error { return d.CloseTrackSession(ctx, true, CloseTrack, 0x0102) },
			"5b 01 01 00 01 02 00 00 00 00", NoData, "", 0, "MMC-5 6.3: Immed, function in byte 2, track in bytes 4 and 5"},
		{"CLOSE SESSION", func(d *Drive) error { return d.CloseTrackSession(ctx, false, CloseSession, 0) },
			"5b 00 02 00 00 00 00 00 00 00", NoData, "", 0, "MMC-5 6.3"},
		{"CLOSE finalize DVD+R", func(d *Drive) error { return d.CloseTrackSession(ctx, true, CloseFinalizeMinimal, 0) },
			"5b 01 05 00 00 00 00 00 00 00", NoData, "", 0, "MMC-5 6.3.3.4.4"},
		{"CLOSE finalize BD-R", func(d *Drive) error { return d.CloseTrackSession(ctx, true, CloseFinalizeDisc, 0) },
			"5b 01 06 00 00 00 00 00 00 00", NoData, "", 0, "MMC-5 6.3"},
		{"READ BUFFER CAPACITY", func(d *Drive) error { _, err := d.ReadBufferCapacity(ctx); return err },
			"5c 00 00 00 00 00 00 00 0c 00", FromDrive, "", 12, "MMC-5 6.18: in bytes"},
		{"READ BUFFER CAPACITY blocks", func(d *Drive) error { _, err := d.ReadBufferCapacityBlocks(ctx); return err },
			"5c 01 00 00 00 00 00 00 0c 00", FromDrive, "", 12, "MMC-5 6.18: BLOCK is bit 0"},
		{"SEND CUE SHEET", func(d *Drive) error { return d.SendCueSheet(ctx, sheet) },
			"5d 00 00 00 00 00 00 00 20 00", ToDrive,
			"41 00 00 24 00 00 00 00 41 01 00 20 00 00 00 00 41 01 01 20 00 00 02 00 41 aa 01 24 00 00 06", 32, "MMC-5 6.33: 24 bits of length; XA, 300 blocks"},
		{"READ CD", func(d *Drive) error {
			return d.ReadCD(ctx, -150, SectorXAForm1, FieldSubHeader|FieldUserData, SubHeaderSize+BlockSize, make([]byte, 2*2056))
		}, "be 10 ff ff ff 6a 00 00 02 50 00 00", FromDrive, "", 4112, "MMC-5 6.20: type in bits 4 to 2, sub-header is bit 6"},
		{"WRITE(10) pre-gap", func(d *Drive) error { return d.WriteBlocks10(ctx, -150, XABlockSize, make([]byte, 2*XABlockSize)) },
			"2a 00 ff ff ff 6a 00 00 02 00", ToDrive, "", 4672, "MMC-5 6.44: two's complement"},
		{"READ PMA", func(d *Drive) error { _, err := d.ReadPMA(ctx); return err },
			"43 00 03 00 00 00 00 15 49 00", FromDrive, "", 5449, "MMC-5 6.26: format 0011b"},
		{"READ ATIP", func(d *Drive) error { _, err := d.ReadATIP(ctx); return err },
			"43 00 04 00 00 00 00 00 1c 00", FromDrive, "", 28, "MMC-5 6.26: format 0100b"},
		{"BLANK", func(d *Drive) error { return d.Blank(ctx, true, BlankMinimal) },
			"a1 11 00 00 00 00 00 00 00 00 00 00", NoData, "", 0, "MMC-5 6.2: Immed is bit 4"},
		{"READ(12)", func(d *Drive) error { return d.Read12(ctx, 0x01020304, block) },
			"a8 00 01 02 03 04 00 00 00 02 00 00", FromDrive, "", 4096, "MMC-5 6.16"},
		{"WRITE(12) streaming", func(d *Drive) error { return d.Write12(ctx, 0x01020304, block, true) },
			"aa 00 01 02 03 04 00 00 00 02 80 00", ToDrive, "", 4096, "MMC-5 6.45"},
		{"GET PERFORMANCE", func(d *Drive) error { _, err := d.GetWriteSpeeds(ctx); return err },
			"ac 00 00 00 00 00 00 00 00 40 03 00", FromDrive, "", 1032, "MMC-5 6.8: type 03h"},
		{"GET PERFORMANCE write", func(d *Drive) error { _, err := d.GetPerformance(ctx, true); return err },
			"ac 14 00 00 00 00 00 00 00 40 00 00", FromDrive, "", 1032, "MMC-5 6.8.2: tolerance 10b, Write, nominal"},
		{"GET PERFORMANCE unusable", func(d *Drive) error { _, err := d.GetUnusableArea(ctx); return err },
			"ac 04 00 00 00 00 00 00 00 40 01 00", FromDrive, "", 520, "MMC-5 6.8.2: type 01h, of writing"},
		{"READ DISC STRUCTURE", func(d *Drive) error {
			_, err := d.ReadDiscStructure(ctx, StructureBD, 0x01020304, 5, StructureBDSpare)
			return err
		}, "ad 01 01 02 03 04 05 0a 10 04 00 00", FromDrive, "", 4100, "MMC-5 6.23.2: media type, address, layer, format"},
		{"SET STREAMING", func(d *Drive) error { return d.SetStreaming(ctx, NewStreaming(0, 0x0102, 0x0304, 0x0506)) },
			"b6 00 00 00 00 00 00 00 00 00 1c 00", ToDrive,
			"00 00 00 00 00 00 00 00 00 00 01 02 00 00 03 04 00 00 03 e8 00 00 05 06 00 00 03 e8", 28, "MMC-5 6.39: kB per 1000 ms"},
		{"SET STREAMING defaults", func(d *Drive) error { return d.SetStreaming(ctx, NewStreamingDefaults()) },
			"b6 00 00 00 00 00 00 00 00 00 1c 00", ToDrive, "04", 28, "MMC-5 6.39: RDD"},
		{"SET CD SPEED", func(d *Drive) error { return d.SetCDSpeed(ctx, 0xffff, 706) },
			"bb 00 ff ff 02 c2 00 00 00 00 00 00", NoData, "", 0, "MMC-5 6.37"},
		{"FORMAT UNIT BD-RE", func(d *Drive) error {
			return d.FormatUnit(ctx, NewFormatParameters(FormatDescriptor{0x00b47400, FormatFull, 0x3000}, 0, true))
		}, "04 11 00 00 00 00", ToDrive, "00 82 00 08 00 b4 74 00 00 00 30", 12, "MMC-5 6.5.3: FOV, Immed, descriptor"},
		{"FORMAT UNIT DVD+RW restart", func(d *Drive) error {
			return d.FormatUnit(ctx, NewFormatParameters(FormatDescriptor{0xffffffff, FormatDVDPlusRW, FormatRestart}, 0, true))
		}, "04 11 00 00 00 00", ToDrive, "00 02 00 08 ff ff ff ff 98 00 00 01", 12, "MMC-5 6.5.4.2.14"},
		{"FORMAT UNIT DVD-RW quick grow", func(d *Drive) error {
			return d.FormatUnit(ctx, NewFormatParameters(FormatDescriptor{0, FormatDVDRWQGrow, 16}, 0, true))
		}, "04 11 00 00 00 00", ToDrive, "00 02 00 08 00 00 00 00 4c 00 00 10", 12, "MMC-5 6.5.4.2.8; no FOV, as growisofs and libburn send it"},
	} {
		d, f := newFake(t, func(_ int, cmd *Command) error {
			if cmd.Direction == FromDrive && len(cmd.Data) < BlockSize*2 {
				return fail(cmd, KeyIllegalRequest, 0x20, 0) // only the request counts
			}
			return nil
		})
		err := c.run(d)
		if c.dir != FromDrive && err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if len(f.sent) == 0 {
			t.Errorf("%s: nothing was sent: %v", c.name, err)
			continue
		}
		got := f.sent[0]
		if s := spaced(got.CDB); s != c.cdb {
			t.Errorf("%s (%s):\n got %s\nwant %s", c.name, c.why, s, c.cdb)
		}
		if len(got.CDB) != got.Opcode().CDBLen() {
			t.Errorf("%s: CDB of %d bytes", c.name, len(got.CDB))
		}
		if got.Direction != c.dir || len(got.Data) != c.n {
			t.Errorf("%s: %v, %d bytes; want %v, %d", c.name, got.Direction, len(got.Data), c.dir, c.n)
		}
		if s := spaced(bytes.TrimRight(got.Data, "\x00")); s != c.data {
			t.Errorf("%s (%s): sends\n %s\nwant\n %s", c.name, c.why, s, c.data)
		}
		if got.Timeout < timeoutQuery {
			t.Errorf("%s: timeout %v", c.name, got.Timeout)
		}
	}
}

func spaced(b []byte) string {
	var w []string
	for _, x := range b {
		w = append(w, hex.EncodeToString([]byte{x}))
	}
	return strings.Join(w, " ")
}
