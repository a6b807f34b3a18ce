// Package mmc speaks the SCSI MultiMedia Command set (INCITS MMC) to an optical
// drive, or to anything that answers like one.
//
// The package has three floors:
//
//	Drive      one method per command, named as MMC names it; typed requests,
//	  │        replies as views over the bytes the drive sent
//	  │  CDB, data, timeout
//	Command    one SCSI command on its way through a transport
//	  │
//	Transport  carries a command to a drive and brings back its data, or the
//	           sense data of a CHECK CONDITION as *SenseError
//
// # Sources and units
//
// Clause numbers are those of MMC-5 revision 03c and SPC-3 revision 23; later
// revisions keep the names of the clauses. What MMC-5 has dropped is cited from an
// older MMC.
//
// Block addresses (LBA) and sizes count blocks of [BlockSize] bytes, addresses
// from the first addressable block of the medium. Speeds are in kB/s, kB = 1000
// bytes. Numbers with an h are hexadecimal, those with a b binary; 2/04/08 is
// sense key 2h, additional sense code 04h and its qualifier 08h.
//
// # The packages
//
// This package knows commands, but not what they are good for. The packages that
// stand on it do:
//
//	prepare    blanks, formats and finalizes a medium; opens and closes the tray
//	   │
//	recorder   writes one session: the recipe of each family of media
//	   │
//	medium     finds out what is in the drive: kind, sessions, tracks, free space
//	   │
//	mmc        commands, replies, errors, patience
//	   │
//	   │       a transport is one of these, or a stack of them:
//	   │
//	   ├─ faulty ─▶ …         makes commands fail on demand, for tests and rehearsals
//	   ├─ reopen ─▶ …         finds a drive again that was unplugged
//	   ├─ sgio ─▶ /dev/sr0    a real drive, through the ioctl SG_IO of Linux
//	   └─ emu ─▶ files        an emulated drive and its media
//
// A session gets onto a disc in these steps:
//
//	sgio.Open               a transport; or emu.Open
//	mmc.NewDrive            a drive that waits, repeats and counts changes
//	medium.Inspect          what is in it, and whether it can be written
//	prepare.Blank,          only on request: what must be formatted before it can be
//	prepare.FormatMedium    written is formatted by Begin
//	recorder.New            the recorder for this medium, as inspected
//	  Begin                 from here on the medium is claimed, see Drive.Claim
//	  Write … Sync          the data are on the medium
//	  Close                 other computers can see them
//	medium.Inspect          what there is now
//
// # The commands
//
// By purpose, with the clause of MMC-5 and the methods of [Drive] that send them.
// All of them are in clause 6 and have a constant Op….
//
//	What the drive is
//	6.9   INQUIRY                        Inquiry, SerialNumber
//	6.6   GET CONFIGURATION              GetConfiguration, SerialNumber
//	6.13  MODE SENSE(10)                 ModeSense10, SenseWriteParameters,
//	                                     SenseCapabilities
//	6.8   GET PERFORMANCE                GetPerformance, GetWriteSpeeds,
//	                                     GetUnusableArea
//
//	How the drive is
//	6.42  TEST UNIT READY                TestUnitReady, WaitReady, WaitProgress
//	6.30  REQUEST SENSE                  RequestSense
//	6.7   GET EVENT STATUS NOTIFICATION  GetEventStatus
//	6.18  READ BUFFER CAPACITY           ReadBufferCapacity, ReadBufferCapacityBlocks
//
//	What is on the medium
//	6.22  READ DISC INFORMATION          ReadDiscInformation, ReadPOWResources
//	6.27  READ TRACK INFORMATION         ReadTrackInformation
//	6.26  READ TOC/PMA/ATIP              ReadTOC, ReadFullTOC, ReadPMA, ReadATIP
//	6.23  READ DISC STRUCTURE            ReadDiscStructure, ReadStructureCapabilities,
//	                                     ReadWriteProtection, ReadADIP,
//	                                     ReadPrerecordedInformation, ReadLayerBoundary,
//	                                     ReadDVDRAMSpareArea, ReadBDDiscInformation,
//	                                     ReadBDSpareArea, ReadPACs
//	6.19  READ CAPACITY                  ReadCapacity
//	6.24  READ FORMAT CAPACITIES         ReadFormatCapacities
//
//	Reading
//	6.15  READ(10)                       Read10, ReadBlocks
//	6.16  READ(12)                       Read12
//	6.20  READ CD                        ReadCD
//
//	Before writing
//	6.12  MODE SELECT(10)                ModeSelect10, SelectWriteParameters
//	6.37  SET CD SPEED                   SetCDSpeed
//	6.39  SET STREAMING                  SetStreaming
//	6.36  SEND OPC INFORMATION           SendOPC
//	6.33  SEND CUE SHEET                 SendCueSheet
//	6.31  RESERVE TRACK                  ReserveTrack
//
//	Writing
//	6.44  WRITE(10)                      Write10, WriteBlocks10
//	6.45  WRITE(12)                      Write12
//	6.46  WRITE AND VERIFY(10)           WriteAndVerify10
//
//	After writing
//	6.41  SYNCHRONIZE CACHE              SynchronizeCache
//	6.3   CLOSE TRACK/SESSION            CloseTrackSession
//
//	Making a medium writable
//	6.2   BLANK                          Blank
//	6.5   FORMAT UNIT                    FormatUnit
//
//	Door and tray
//	6.14  PREVENT ALLOW MEDIUM REMOVAL   PreventAllowMediumRemoval
//	6.40  START STOP UNIT                StartStopUnit
//
// MediaID asks for the manufacturer of a blank disc in the way its kind of medium
// wants it. READ HEADER (MMC-1) is known by name only, for emulated drives.
//
// # Wire formats
//
// Command descriptor blocks are big endian. Byte 0 is the operation code, whose
// top three bits also fix the length of the block (SPC-3 4.3.4.1):
//
//	 0      1       2 3 4 5        6      7 8         9
//	┌──────┬───────┬──────────────┬──────┬───────────┬─────────┐
//	│opcode│ flags │ block address│ flags│ length    │ control │  10 bytes, 20h…5Fh
//	└──────┴───────┴──────────────┴──────┴───────────┴─────────┘
//	┌──────┬───────┬──────────────┬──────────────────┬──────┬─────────┐
//	│opcode│ flags │ block address│ length (6…9)     │ flags│ control │ 12 bytes, A0h…BFh
//	└──────┴───────┴──────────────┴──────────────────┴──────┴─────────┘
//
// Every reply is a type whose underlying type is []byte with one accessor per
// field, so that the table of offsets is the code. Accessors of fields beyond the
// end of a short (older) reply return zero. The setters of the same types, and
// the functions New…, exist for whoever plays a drive.
//
// # Errors and patience
//
// Every method of [Drive] that sends a command can return
//
//	*SenseError      the drive refused the command or failed at it; compare with
//	                 the Err… conditions by errors.Is
//	*TransportError  the command did not get through, or its outcome is unknown;
//	                 ErrDriveGone if further ones will not get through either
//	*ResponseError   a reply that makes no sense
//	ErrNotClaimed    in a *TransportError, nothing was sent: the medium may be another
//	                 one than was claimed
//	ErrClosed        the drive is closed
//	context.Cause    the context ended before the command was sent
//
// or an error of its own for arguments that fit no command, such as half a block.
// The methods' documentation says only what is special beyond that. [Advice] says what
// to do about each of them. How long is waited for what is written beside
// [ReadyLimit]. A command that was sent is never abandoned: the end of a context
// counts between two commands.
package mmc
