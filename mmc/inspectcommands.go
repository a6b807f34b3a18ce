package mmc

import (
	"context"
	"errors"
)

// RequestType selects the features that GET CONFIGURATION returns (MMC-5
// 6.6).
type RequestType uint8

// Request types.
const (
	AllFeatures     RequestType = 0 // from the starting feature on
	CurrentFeatures RequestType = 1 // those of them that are current
	OneFeature      RequestType = 2 // the starting feature, if it exists
)

// PageControl selects which values MODE SENSE returns (SPC-3, MODE SENSE).
type PageControl uint8

// Page controls.
const (
	CurrentValues    PageControl = 0
	ChangeableValues PageControl = 1
	DefaultValues    PageControl = 2
)

// Allocation lengths: what the longest reply of a conforming drive needs.
const (
	allocConfiguration = 4096
	allocTOC           = tocHeader + 101*tocDescriptor         // 99 tracks, lead-out, reserve
	allocFullTOC       = tocHeader + (99+99*4)*tocFullEntrySz  // a session needs at most 4 other points
	allocFormat        = formatHeaderLen + 32*formatDescLength // the list length has 8 bits
	allocModePage      = 512
	allocPerformance   = 64 // descriptors
)

// TestUnitReady asks once whether the medium is accessible (MMC-5 6.42).
func (d *Drive) TestUnitReady(ctx context.Context) error {
	return d.execute(ctx, &Command{CDB: cdbTestUnitReady(), Timeout: timeoutQuery})
}

// RequestSense asks for the sense data that waits in the drive, in fixed format
// (MMC-5 6.30): mostly for the progress of a long running operation.
func (d *Drive) RequestSense(ctx context.Context) (Sense, error) {
	const alloc = 18
	return queryOnce(ctx, d, cdbRequestSense(alloc), make([]byte, alloc), func(b []byte) (Sense, error) {
		if s := Sense(b); s.Valid() && len(s) >= 14 {
			return s, nil
		}
		return nil, newResponseError(OpRequestSense, b, "no sense data of fixed format")
	})
}

// Inquiry asks for the names of the drive (MMC-5 6.9).
func (d *Drive) Inquiry(ctx context.Context) (Inquiry, error) {
	return query(ctx, d, cdbInquiry(InquiryLen), make([]byte, InquiryLen), parseInquiry)
}

// GetConfiguration asks for the current profile and the features of the drive
// from one on (MMC-5 6.6).
func (d *Drive) GetConfiguration(ctx context.Context, rt RequestType, start FeatureCode) (Configuration, error) {
	return measured(ctx, d, parseConfiguration, func(alloc int) []byte {
		return cdbGetConfiguration(rt, start, uint16(alloc))
	}, configurationHeader, allocConfiguration, func(h []byte) int { return int(min(u32(h, 0), 1<<16)) + 4 })
}

// ReadDiscInformation asks for the state of the disc (MMC-5 6.22).
func (d *Drive) ReadDiscInformation(ctx context.Context) (DiscInformation, error) {
	return measured(ctx, d, parseDiscInformation, func(alloc int) []byte {
		return cdbReadDiscInformation(dataTypeStandard, uint16(alloc))
	}, 4, discInformationLen, func(h []byte) int { return int(u16(h, 0)) + 2 })
}

// ReadTrackInformation asks about one track (MMC-5 6.27). What number means,
// by says.
func (d *Drive) ReadTrackInformation(ctx context.Context, by TrackAddressType, number uint32) (TrackInformation, error) {
	return measured(ctx, d, parseTrackInformation, func(alloc int) []byte {
		return cdbReadTrackInformation(by, number, uint16(alloc))
	}, 4, trackInformationLen, func(h []byte) int { return int(u16(h, 0)) + 2 })
}

// measured asks with the usual allocation length. Some drives refuse every
// length but that of their own reply; they are asked for it first.
func measured[R any](ctx context.Context, d *Drive, parse func([]byte) (R, error), cdb func(alloc int) []byte,
	header, usual int, length func(header []byte) int,
) (R, error) {
	r, err := query(ctx, d, cdb(usual), make([]byte, usual), parse)
	if !errors.Is(err, ErrInvalidField) {
		return r, err
	}
	h, herr := query(ctx, d, cdb(header), make([]byte, header), func(b []byte) ([]byte, error) { return b, nil })
	if herr != nil || len(h) < header {
		return r, err
	}
	n := length(h)
	if n <= header || n >= 1<<16 || n == usual {
		return r, err
	}
	return query(ctx, d, cdb(n), make([]byte, n), parse)
}

// ReadTOC asks for the table of contents in format TOCFormatted or TOCMultisess
// (MMC-5 6.26).
func (d *Drive) ReadTOC(ctx context.Context, f TOCFormat) (TOC, error) {
	alloc := allocTOC
	if f == TOCMultisess {
		alloc = tocHeader + tocDescriptor
	}
	return query(ctx, d, cdbReadTOC(f, 0, uint16(alloc)), make([]byte, alloc), parseTOC)
}

// ReadFullTOC asks for the lead-in entries of all sessions of a CD (MMC-5 6.26,
// format 0010b).
func (d *Drive) ReadFullTOC(ctx context.Context) (FullTOC, error) {
	// The session to start with is 1.
	return query(ctx, d, cdbReadTOC(TOCFull, 1, allocFullTOC), make([]byte, allocFullTOC), parseFullTOC)
}

// ReadCapacity asks for the last readable block (MMC-5 6.19).
func (d *Drive) ReadCapacity(ctx context.Context) (Capacity, error) {
	return query(ctx, d, cdbReadCapacity(), make([]byte, capacityLen), parseCapacity)
}

// ReadFormatCapacities asks to what the medium is or can be formatted (MMC-5
// 6.24).
func (d *Drive) ReadFormatCapacities(ctx context.Context) (FormatCapacities, error) {
	return query(ctx, d, cdbReadFormatCapacities(allocFormat), make([]byte, allocFormat), parseFormatCapacities)
}

// ModeSense10 asks for a mode page (MMC-5 6.13).
func (d *Drive) ModeSense10(ctx context.Context, pc PageControl, page uint8) (ModeData, error) {
	return query(ctx, d, cdbModeSense10(pc, page, allocModePage), make([]byte, allocModePage), func(b []byte) (ModeData, error) {
		if len(b) < modeHeaderLen {
			return nil, newResponseError(OpModeSense10, b, "%d bytes instead of at least %d", len(b), modeHeaderLen)
		}
		return ModeData(b), nil
	})
}

// SenseWriteParameters asks for mode page 05h (MMC-5 6.13, 7.5).
func (d *Drive) SenseWriteParameters(ctx context.Context) (WriteParameters, error) {
	return query(ctx, d, cdbModeSense10(CurrentValues, PageWriteParameters, allocModePage),
		make([]byte, allocModePage), parseWriteParameters)
}

// SenseCapabilities asks for mode page 2Ah (MMC-5 6.13, MMC-3 6.3.11).
func (d *Drive) SenseCapabilities(ctx context.Context) (Capabilities, error) {
	return query(ctx, d, cdbModeSense10(CurrentValues, PageCapabilities, allocModePage),
		make([]byte, allocModePage), parseCapabilities)
}

// GetWriteSpeeds asks for the write speeds that the drive offers with the loaded
// medium: GET PERFORMANCE type 03h (MMC-5 6.8).
func (d *Drive) GetWriteSpeeds(ctx context.Context) (WriteSpeeds, error) {
	const alloc = performanceHeader + allocPerformance*performanceDescriptor
	return query(ctx, d, cdbGetPerformance(0, performanceWriteSpeed, allocPerformance), make([]byte, alloc), parseWriteSpeeds)
}

// GetPerformance asks for the speeds at which the drive reads, or writes, the
// loaded medium: GET PERFORMANCE type 00h, nominal (MMC-5 6.8).
func (d *Drive) GetPerformance(ctx context.Context, write bool) (NominalPerformance, error) {
	const alloc = performanceHeader + allocPerformance*performanceDescriptor
	dataType := uint8(performanceTolerance)
	if write {
		dataType |= performanceWrite
	}
	return query(ctx, d, cdbGetPerformance(dataType, performanceNominal, allocPerformance), make([]byte, alloc), parseNominalPerformance)
}

// GetUnusableArea asks which blocks of the loaded medium cannot be written: GET
// PERFORMANCE type 01h (MMC-5 6.8).
func (d *Drive) GetUnusableArea(ctx context.Context) (UnusableArea, error) {
	const alloc = performanceHeader + allocPerformance*unusableDescriptor
	return query(ctx, d, cdbGetPerformance(performanceWrite, performanceUnusable, allocPerformance), make([]byte, alloc), parseUnusableArea)
}

// ReadBufferCapacity asks for the fill of the drive's write buffer (MMC-5 6.18).
func (d *Drive) ReadBufferCapacity(ctx context.Context) (BufferCapacity, error) {
	return query(ctx, d, cdbReadBufferCapacity(false), make([]byte, bufferCapacityLen), parseBufferCapacity)
}

// ReadBufferCapacityBlocks asks for the free part of the buffer in blocks of the
// kind being written (MMC-5 6.18, BLOCK = 1).
func (d *Drive) ReadBufferCapacityBlocks(ctx context.Context) (BufferCapacity, error) {
	return query(ctx, d, cdbReadBufferCapacity(true), make([]byte, bufferCapacityLen), func(b []byte) (BufferCapacity, error) {
		c, err := parseBufferCapacity(b)
		if err == nil && !c.InBlocks() {
			return nil, newResponseError(OpReadBufferCapacity, b, "bytes instead of blocks")
		}
		return c, err
	})
}

// GetEventStatus asks once, without waiting for an event, what happened in the
// given class (MMC-5 6.7). An event is reported only once.
func (d *Drive) GetEventStatus(ctx context.Context, class EventClass) (EventStatus, error) {
	return queryOnce(ctx, d, cdbGetEventStatus(1<<class, eventLen), make([]byte, eventLen), parseEventStatus)
}
