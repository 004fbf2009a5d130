/** PS3.15 Table E.1-1, groups 0018 to 003A; the columns are described in profile.ts. */
export const secondRows = `
00180010 LO Z/D - - Contrast/Bolus Agent
00180027 TM X C - Intervention Drug Stop Time
00180035 TM X C - Intervention Drug Start Time
00181000 LO X/Z/D - - Device Serial Number
00181002 UI U - - Device UID
00181004 LO X - - Plate ID
00181005 LO X - - Generator ID
00181007 LO X - - Cassette ID
00181008 LO X - - Gantry ID
00181009 UT X - - Unique Device Identifier
0018100A SQ X - - UDI Sequence
0018100B UI U - - Manufacturer's Device Class UID
00181012 DA X C - Date of Secondary Capture
00181014 TM X C - Time of Secondary Capture
00181030 LO X/D - - Protocol Name
00181042 TM X C - Contrast/Bolus Start Time
00181043 TM X C - Contrast/Bolus Stop Time
00181072 TM X C - Radiopharmaceutical Start Time
00181073 TM X C - Radiopharmaceutical Stop Time
00181078 DT X C - Radiopharmaceutical Start DateTime
00181079 DT X C - Radiopharmaceutical Stop DateTime
001811BB LO D - - Acquisition Field Of View Label
00181200 DA X C - Date of Last Calibration
00181201 TM X C - Time of Last Calibration
00181202 DT X C - DateTime of Last Calibration
00181203 DT Z C - Calibration DateTime
00181204 DA X C - Date of Manufacture
00181205 DA X C - Date of Installation
00181400 LO X/D - - Acquisition Device Processing Description
00182042 UI U - - Target UID
00184000 LT X - - Acquisition Comments
00185011 SQ X - - Transducer Identification Sequence
0018700A SH X/D - - Detector ID
0018700C DA X/D C - Date of Last Detector Calibration
0018700E TM X/D C - Time of Last Detector Calibration
00189074 DT D C - Frame Acquisition DateTime
00189151 DT D C - Frame Reference DateTime
00189185 ST X - - Respiratory Motion Compensation Technique Description
00189367 UC D - - X-Ray Source ID
00189369 DT D C - Source Start DateTime
0018936A DT D C - Source End DateTime
00189371 UC D - - X-Ray Detector ID
00189373 ST X - - X-Ray Detector Label
0018937B UT X - - Multi-energy Acquisition Description
0018937F UT X - - Decomposition Description
00189424 LT X - - Acquisition Protocol Description
00189516 DT X/D C - Start Acquisition DateTime
00189517 DT X/D C - End Acquisition DateTime
00189623 DT D C - Functional Sync Pulse
00189701 DT D C - Decay Correction DateTime
00189804 DT D C - Exclusion Start DateTime
00189919 DT Z/D C - Instruction Performed DateTime
00189937 LO X - - Requested Series Description
0018A002 DT X C - Contribution DateTime
0018A003 ST X - - Contribution Description
0020000D UI U - - Study Instance UID
0020000E UI U - - Series Instance UID
00200010 SH Z - - Study ID
00200027 LO X - - Pyramid Label
00200052 UI U - - Frame of Reference UID
00200200 UI U - - Synchronization Frame of Reference UID
00203401 CS X - - Modifying Device ID
00203403 DA X C - Modified Image Date
00203405 TM X C - Modified Image Time
00203406 LO X - - Modified Image Description
00204000 LT X - - Image Comments
00209158 LT X - - Frame Comments
00209161 UI U - - Concatenation UID
00209164 UI U - - Dimension Organization UID
00281199 UI U - - Palette Color Lookup Table UID
00281214 UI U - - Large Palette Color Lookup Table UID
00284000 LT X - - Image Presentation Comments
00320012 LO X - - Study ID Issuer
00320032 DA X C - Study Verified Date
00320033 TM X C - Study Verified Time
00320034 DA X C - Study Read Date
00320035 TM X C - Study Read Time
00321000 DA X C - Scheduled Study Start Date
00321001 TM X C - Scheduled Study Start Time
00321010 DA X C - Scheduled Study Stop Date
00321011 TM X C - Scheduled Study Stop Time
00321020 LO X - - Scheduled Study Location
00321021 AE X - - Scheduled Study Location AE Title
00321030 LO X - - Reason for Study
00321032 PN X - - Requesting Physician
00321033 LO X - - Requesting Service
00321040 DA X C - Study Arrival Date
00321041 TM X C - Study Arrival Time
00321050 DA X C - Study Completion Date
00321051 TM X C - Study Completion Time
00321060 LO X/Z - - Requested Procedure Description
00321066 UT X - - Reason for Visit
00321067 SQ X - - Reason for Visit Code Sequence
00321070 LO X - - Requested Contrast Agent
00324000 LT X - - Study Comments
00340001 SQ D - - Flow Identifier Sequence
00340002 OB D - - Flow Identifier
00340005 OB D - - Source Identifier
00340007 OB D C - Frame Origin Timestamp
00380004 SQ X - - Referenced Patient Alias Sequence
00380010 LO X - - Admission ID
00380011 LO X - - Issuer of Admission ID
00380014 SQ X - - Issuer of Admission ID Sequence
0038001A DA X C - Scheduled Admission Date
0038001B TM X C - Scheduled Admission Time
0038001C DA X C - Scheduled Discharge Date
0038001D TM X C - Scheduled Discharge Time
0038001E LO X - - Scheduled Patient Institution Residence
00380020 DA X C - Admitting Date
00380021 TM X C - Admitting Time
00380030 DA X C - Discharge Date
00380032 TM X C - Discharge Time
00380040 LO X - - Discharge Diagnosis Description
00380050 LO X - C Special Needs
00380060 LO X - - Service Episode ID
00380061 LO X - - Issuer of Service Episode ID
00380062 LO X - - Service Episode Description
00380064 SQ X - - Issuer of Service Episode ID Sequence
00380300 LO X - - Current Patient Location
00380400 LO X - - Patient's Institution Residence
00380500 LO X - C Patient State
00384000 LT X - - Visit Comments
003A0310 UI U - - Multiplex Group UID
003A0314 DT D C - Impedance Measurement DateTime
003A0329 ST X - - Waveform Filter Description
003A032B ST X - - Filter Lookup Table Description
`;
