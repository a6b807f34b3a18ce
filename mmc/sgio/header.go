package sgio

import "unsafe"

// header is struct sg_io_hdr of the kernel (include/scsi/sg.h), which SG_IO reads
// and fills in. Offsets in bytes, 64 bit | 32 bit:
//
//	 0|0   interface_id, 'S'          48|36  pack_id
//	 4|4   dxfer_direction            56|40  usr_ptr
//	 8|8   cmd_len                    64|44  status
//	 9|9   mx_sb_len                  65|45  masked_status
//	10|10  iovec_count                66|46  msg_status
//	12|12  dxfer_len                  67|47  sb_len_wr
//	16|16  dxferp                     68|48  host_status
//	24|20  cmdp                       70|50  driver_status
//	32|24  sbp                        72|52  resid
//	40|28  timeout, in ms             76|56  duration, in ms
//	44|32  flags                      80|60  info
//	                                  88|64  end
//
// Pointers are unsafe.Pointer and not numbers, so that the garbage collector knows
// what they keep alive.
type header struct {
	interfaceID  int32
	direction    int32
	cmdLen       uint8
	maxSense     uint8
	iovecCount   uint16
	dataLen      uint32
	data         unsafe.Pointer
	cmd          unsafe.Pointer
	sense        unsafe.Pointer
	timeout      uint32
	flags        uint32
	packID       int32
	usr          unsafe.Pointer
	status       uint8
	maskedStatus uint8
	msgStatus    uint8
	senseWritten uint8
	host         uint16
	driver       uint16
	resid        int32
	duration     uint32
	info         uint32
}

const (
	interfaceID = 'S'

	// Directions (SG_DXFER_*).
	dxferNone = -1
	dxferTo   = -2
	dxferFrom = -3

	// maxSense is the longest sense data there is (SPC-3 4.5.1).
	maxSense = 252
)

// Requests of ioctl(2) (include/scsi/sg.h).
const (
	sgSetReservedSize = 0x2275
	sgGetReservedSize = 0x2272
	sgIO              = 0x2285
)
