// Package iscsi presents drives to a real kernel: it is a small iSCSI target
// (RFC 7143) whose logical unit 0 is any [mmc.Transport], such as an emulated
// drive. The initiator, for example Linux's iscsi_tcp, makes a /dev/sr0 of it.
//
//	target, err := iscsi.Listen("127.0.0.1:0", log)
//	err = target.Add("iqn.2024-01.example:cd", drive)
//	…  an initiator logs in at target.Addr() …
//	target.Drop()     // the cable is pulled
//	target.Restore()  // and plugged in again
//	target.Close()    // then close the drives: they stay the caller's
//
// # The PDU
//
// All that is sent is protocol data units (RFC 7143 11.1, 11.2):
//
//	byte 0       1             2…3          4     5…7         8…15    16…19  20…47
//	┌───────────┬─────────────┬────────────┬─────┬───────────┬───────┬──────┬──────────────┐
//	│.I opcode  │F, specific  │ specific   │AHS  │ DataSeg-  │ LUN or│ Init.│ specific:    │  48 bytes: basic
//	│           │             │            │words│ mentLength│ ISID… │ Task │ numbers, CDB │  header segment
//	│           │             │            │     │           │       │ Tag  │              │
//	├───────────┴─────────────┴────────────┴─────┴───────────┴───────┴──────┴──────────────┤
//	│ additional header segments (AHS words of 4 bytes; only refused here)                 │
//	├──────────────────────────────────────────────────────────────────────────────────────┤
//	│ data segment, padded to 4 bytes                                                      │
//	└──────────────────────────────────────────────────────────────────────────────────────┘
//
// There are no digests: HeaderDigest and DataDigest are always None.
//
// # A session
//
// A session has one connection (MaxConnections=1), and error recovery is that of
// level 0: what cannot be understood ends the session, and the initiator logs in
// again.
//
//	TCP accept
//	   │                                             any error: Login Response with
//	   ▼                 AuthMethod=None             status, connection closed
//	┌─────────────────┐ ──────────────────▶ ┌─────────────────────┐
//	│ SecurityNego-   │   T, NSG=1          │ LoginOperational-   │
//	│ tiation (CSG 0) │                     │ Negotiation (CSG 1) │ ◀── an initiator may
//	└─────────────────┘                     └─────────────────────┘     also begin here
//	   │ T, NSG=3                              │ T, NSG=3
//	   ▼                                       ▼
//	┌──────────────────────────────────────────────────────────┐   Logout, cut, or the
//	│ FullFeaturePhase                                         │   same initiator port
//	│   normal session: SCSI, NOP, task management, text       │ ─────────────────────▶ closed
//	│   discovery session: text (SendTargets) and logout only  │   logs in again
//	└──────────────────────────────────────────────────────────┘
//
// # A command
//
//	initiator                               target
//	   │ SCSI Command (+ immediate data)      │
//	   ├─────────────────────────────────────▶│ joins the queue of its session
//	   │                          R2T         │ when its turn comes:
//	   │◀─────────────────────────────────────┤   bursts of at most MaxBurstLength,
//	   │ Data-Out, Data-Out, … F              │   one R2T at a time
//	   ├─────────────────────────────────────▶│
//	   │                                      │ drive executes: one command at a time,
//	   │                                      │ whatever session it comes from
//	   │          Data-In, Data-In, … F       │
//	   │◀─────────────────────────────────────┤ GOOD rides on the last Data-In,
//	   │          SCSI Response               │ anything else comes by itself with
//	   │◀─────────────────────────────────────┤ sense data
//
// Commands are executed in the order of their CmdSN. The window is Depth tasks
// wide: MaxCmdSN - ExpCmdSN + 1 is what may still be sent.
//
// # What the drive does not know
//
// A drive answers MMC commands. What a SCSI transport protocol demands besides is
// answered by this package: REPORT LUNS, logical units other than 0, the device
// identification page, MODE SENSE(6) (Linux's sr driver asks for nothing else),
// unit attentions after a reset, the end of PREVENT ALLOW MEDIUM REMOVAL with the
// session that prevented it.
package iscsi
