package mmc

// Command descriptor blocks. One function per command; the bytes not set are
// reserved or stand for the default.

func cdbTestUnitReady() []byte { return []byte{byte(OpTestUnitReady), 0, 0, 0, 0, 0} }

// DESC (byte 1 bit 0) stays 0: fixed format.
func cdbRequestSense(alloc uint8) []byte { return []byte{byte(OpRequestSense), 0, 0, 0, alloc, 0} }

func cdbInquiry(alloc uint16) []byte {
	c := make([]byte, 6)
	c[0] = byte(OpInquiry)
	put16(c, 3, alloc)
	return c
}

func cdbInquiryPage(page uint8, alloc uint16) []byte {
	c := cdbInquiry(alloc)
	c[1], c[2] = 0x01, page // EVPD
	return c
}

func cdbGetConfiguration(rt RequestType, start FeatureCode, alloc uint16) []byte {
	c := make([]byte, 10)
	c[0], c[1] = byte(OpGetConfiguration), byte(rt)
	put16(c, 2, uint16(start))
	put16(c, 7, alloc)
	return c
}

func cdbGetEventStatus(classes uint8, alloc uint16) []byte {
	c := make([]byte, 10)
	c[0], c[1] = byte(OpGetEventStatus), 0x01 // POLLED
	c[4] = classes
	put16(c, 7, alloc)
	return c
}

func cdbReadDiscInformation(dataType uint8, alloc uint16) []byte {
	c := make([]byte, 10)
	c[0], c[1] = byte(OpReadDiscInformation), dataType&7
	put16(c, 7, alloc)
	return c
}

func cdbReadTrackInformation(by TrackAddressType, number uint32, alloc uint16) []byte {
	c := make([]byte, 10)
	c[0], c[1] = byte(OpReadTrackInformation), byte(by)
	put32(c, 2, number)
	put16(c, 7, alloc)
	return c
}

func cdbReadTOC(f TOCFormat, start uint8, alloc uint16) []byte {
	c := make([]byte, 10)
	c[0] = byte(OpReadTOC) // MSF (byte 1 bit 1) stays 0
	c[2] = byte(f)
	c[6] = start
	put16(c, 7, alloc)
	return c
}

func cdbReadCapacity() []byte {
	c := make([]byte, 10)
	c[0] = byte(OpReadCapacity)
	return c
}

func cdbReadFormatCapacities(alloc uint16) []byte {
	c := make([]byte, 10)
	c[0] = byte(OpReadFormatCapacities)
	put16(c, 7, alloc)
	return c
}

func cdbModeSense10(pc PageControl, page uint8, alloc uint16) []byte {
	c := make([]byte, 10)
	c[0], c[1] = byte(OpModeSense10), 0x08 // DBD
	c[2] = byte(pc)<<6 | page
	put16(c, 7, alloc)
	return c
}

func cdbModeSelect10(length uint16) []byte {
	c := make([]byte, 10)
	c[0], c[1] = byte(OpModeSelect10), 0x10 // PF
	put16(c, 7, length)
	return c
}

func cdbReadBufferCapacity(blocks bool) []byte {
	c := make([]byte, 10)
	c[0] = byte(OpReadBufferCapacity)
	putBit(c, 1, 0x01, blocks)
	put16(c, 7, bufferCapacityLen)
	return c
}

func cdbBlocks10(op Opcode, lba uint32, blocks uint16) []byte {
	c := make([]byte, 10)
	c[0] = byte(op)
	put32(c, 2, lba)
	put16(c, 7, blocks)
	return c
}

func cdbBlocks12(op Opcode, lba, blocks uint32, streaming bool) []byte {
	c := make([]byte, 12)
	c[0] = byte(op)
	put32(c, 2, lba)
	put32(c, 6, blocks)
	putBit(c, 10, 0x80, streaming)
	return c
}

// Address and length stay 0: everything that is cached.
func cdbSynchronizeCache(immed bool) []byte {
	c := make([]byte, 10)
	c[0] = byte(OpSynchronizeCache)
	putBit(c, 1, 0x02, immed)
	return c
}

func cdbCloseTrackSession(immed bool, f CloseFunction, track uint16) []byte {
	c := make([]byte, 10)
	c[0] = byte(OpCloseTrackSession)
	putBit(c, 1, 0x01, immed)
	c[2] = byte(f)
	put16(c, 4, track)
	return c
}

// RMZ and ARSV stay 0: the reservation is a size.
func cdbReserveTrack(blocks uint32) []byte {
	c := make([]byte, 10)
	c[0] = byte(OpReserveTrack)
	put32(c, 5, blocks)
	return c
}

func cdbSendOPC() []byte {
	c := make([]byte, 10)
	c[0], c[1] = byte(OpSendOPC), 0x01 // DoOPC
	return c
}

func cdbSetCDSpeed(read, write uint16) []byte {
	c := make([]byte, 12)
	c[0] = byte(OpSetCDSpeed) // rotational control 00b
	put16(c, 2, read)
	put16(c, 4, write)
	return c
}

func cdbSetStreaming() []byte {
	c := make([]byte, 12)
	c[0] = byte(OpSetStreaming)
	put16(c, 9, streamingLen)
	return c
}

func cdbReadDiscStructure(m StructureMedia, address uint32, layer uint8, f StructureFormat, alloc uint16) []byte {
	c := make([]byte, 12)
	c[0], c[1] = byte(OpReadDiscStructure), byte(m)
	put32(c, 2, address)
	c[6], c[7] = layer, byte(f)
	put16(c, 8, alloc)
	return c
}

// The starting address stays 0: from the beginning of the medium.
func cdbGetPerformance(dataType, kind uint8, descriptors uint16) []byte {
	c := make([]byte, 12)
	c[0], c[1] = byte(OpGetPerformance), dataType
	put16(c, 8, descriptors)
	c[10] = kind
	return c
}

func cdbPreventAllowRemoval(prevent bool) []byte {
	c := make([]byte, 6)
	c[0] = byte(OpPreventAllowRemoval)
	putBit(c, 4, 0x01, prevent)
	return c
}

func cdbStartStopUnit(immed bool, a StartStop) []byte {
	c := make([]byte, 6)
	c[0] = byte(OpStartStopUnit)
	putBit(c, 1, 0x01, immed)
	c[4] = byte(a)
	return c
}

func cdbFormatUnit() []byte {
	// FmtData, format code 1 (MMC-5 6.5, table 249).
	return []byte{byte(OpFormatUnit), 0x11, 0, 0, 0, 0}
}

func cdbBlank(immed bool, t BlankType) []byte {
	c := make([]byte, 12)
	c[0], c[1] = byte(OpBlank), byte(t)
	putBit(c, 1, 0x10, immed)
	return c
}
