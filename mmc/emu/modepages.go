package emu

// errorRecovery is mode page 01h (MMC-5 7.3).
func errorRecovery() []byte {
	b := make([]byte, 12)
	b[0], b[1] = pageErrorRecovery, 10
	b[2] = 0x80 // AWRE
	b[3] = 3    // read retries
	b[8] = 3    // write retries
	return b
}

// powerCondition is mode page 1Ah (SPC-3 7.4.12), which the Power Management
// feature demands: no timer runs.
func powerCondition() []byte {
	b := make([]byte, 12)
	b[0], b[1] = pagePowerCondition, 10
	return b
}

// timeoutProtect is mode page 1Dh (MMC-5 7.6), which the Timeout feature demands:
// writing is not disabled, and no command has a time limit.
func timeoutProtect() []byte {
	b := make([]byte, 10)
	b[0], b[1] = pageTimeoutProtect, 8
	return b
}
