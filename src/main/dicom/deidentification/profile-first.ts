/** PS3.15 Table E.1-1, groups 0002 to 0016; the columns are described in profile.ts. */
export const firstRows = `
00020003 UI U - - Media Storage SOP Instance UID
00041511 UI U - - Referenced SOP Instance UID in File
00080012 DA X/D C - Instance Creation Date
00080013 TM X/Z/D C - Instance Creation Time
00080014 UI U - - Instance Creator UID
00080015 DT X C - Instance Coercion DateTime
00080017 UI U - - Acquisition UID
00080018 UI U - - SOP Instance UID
00080019 UI U - - Pyramid UID
00080020 DA Z C - Study Date
00080021 DA X/D C - Series Date
00080022 DA X/Z C - Acquisition Date
00080023 DA Z/D C - Content Date
00080024 DA X C - Overlay Date
00080025 DA X C - Curve Date
0008002A DT X/Z/D C - Acquisition DateTime
00080030 TM Z C - Study Time
00080031 TM X/D C - Series Time
00080032 TM X/Z C - Acquisition Time
00080033 TM Z/D C - Content Time
00080034 TM X C - Overlay Time
00080035 TM X C - Curve Time
00080050 SH Z - - Accession Number
00080054 AE X - - Retrieve AE Title
00080055 AE X - - Station AE Title
00080058 UI U - - Failed SOP Instance UID List
00080080 LO X/Z/D - - Institution Name
00080081 ST X - - Institution Address
00080082 SQ X/Z/D - - Institution Code Sequence
00080090 PN Z - - Referring Physician's Name
00080092 ST X - - Referring Physician's Address
00080094 SH X - - Referring Physician's Telephone Numbers
00080096 SQ X - - Referring Physician Identification Sequence
0008009C PN Z - - Consulting Physician's Name
0008009D SQ X - - Consulting Physician Identification Sequence
00080106 DT D C - Context Group Version
00080107 DT D C - Context Group Local Version
00080201 SH X C - Timezone Offset From UTC
00081000 AE X - - Network ID
00081010 SH X/Z/D - - Station Name
00081030 LO X - - Study Description
0008103E LO X - - Series Description
00081040 LO X - - Institutional Department Name
00081041 SQ X - - Institutional Department Type Code Sequence
00081048 PN X - - Physician(s) of Record
00081049 SQ X - - Physician(s) of Record Identification Sequence
00081050 PN X - - Performing Physician's Name
00081052 SQ X - - Performing Physician Identification Sequence
00081060 PN X - - Name of Physician(s) Reading Study
00081062 SQ X - - Physician(s) Reading Study Identification Sequence
00081070 PN X/Z/D - - Operators' Name
00081072 SQ X/D - - Operator Identification Sequence
00081080 LO X - - Admitting Diagnoses Description
00081084 SQ X - - Admitting Diagnoses Code Sequence
00081088 LO X - - Pyramid Description
00081110 SQ X/Z - - Referenced Study Sequence
00081111 SQ X/Z/D - - Referenced Performed Procedure Step Sequence
00081120 SQ X - - Referenced Patient Sequence
00081140 SQ X/Z/U* - - Referenced Image Sequence
00081155 UI U - - Referenced SOP Instance UID
00081195 UI U - - Transaction UID
00082111 ST X - - Derivation Description
00082112 SQ X/Z/U* - - Source Image Sequence
00083010 UI U - - Irradiation Event UID
00084000 LT X - - Identifying Comments
00100010 PN Z - - Patient's Name
00100020 LO Z/D - - Patient ID
00100021 LO X - - Issuer of Patient ID
00100030 DA Z - - Patient's Birth Date
00100032 TM X - - Patient's Birth Time
00100040 CS Z - K Patient's Sex
00100050 SQ X - - Patient's Insurance Plan Code Sequence
00100101 SQ X - - Patient's Primary Language Code Sequence
00100102 SQ X - - Patient's Primary Language Modifier Code Sequence
00101000 LO X - - Other Patient IDs
00101001 PN X - - Other Patient Names
00101002 SQ X - - Other Patient IDs Sequence
00101005 PN X - - Patient's Birth Name
00101010 AS X - K Patient's Age
00101020 DS X - K Patient's Size
00101030 DS X - K Patient's Weight
00101040 LO X - - Patient's Address
00101050 LO X - - Insurance Plan Identification
00101060 PN X - - Patient's Mother's Birth Name
00101080 LO X - - Military Rank
00101081 LO X - - Branch of Service
00101090 LO X - - Medical Record Locator
00101100 SQ X - - Referenced Patient Photo Sequence
00102000 LO X - - Medical Alerts
00102110 LO X - C Allergies
00102150 LO X - - Country of Residence
00102152 LO X - - Region of Residence
00102154 SH X - - Patient's Telephone Numbers
00102155 LT X - - Patient's Telecom Information
00102160 SH X - K Ethnic Group
00102180 SH X - - Occupation
001021A0 CS X - K Smoking Status
001021B0 LT X - - Additional Patient History
001021C0 US X - K Pregnancy Status
001021D0 DA X C - Last Menstrual Date
001021F0 LO X - - Patient's Religious Preference
00102203 CS X/Z - K Patient's Sex Neutered
00102297 PN X - - Responsible Person
00102299 LO X - - Responsible Organization
00104000 LT X - - Patient Comments
00120010 LO D - - Clinical Trial Sponsor Name
00120020 LO D - - Clinical Trial Protocol ID
00120021 LO Z - - Clinical Trial Protocol Name
00120022 LO X - - Issuer of Clinical Trial Protocol ID
00120023 SQ X - - Other Clinical Trial Protocol IDs Sequence
00120030 LO Z - - Clinical Trial Site ID
00120031 LO Z - - Clinical Trial Site Name
00120032 LO X - - Issuer of Clinical Trial Site ID
00120040 LO D - - Clinical Trial Subject ID
00120041 LO X - - Issuer of Clinical Trial Subject ID
00120042 LO D - - Clinical Trial Subject Reading ID
00120043 LO X - - Issuer of Clinical Trial Subject Reading ID
00120050 LO Z - - Clinical Trial Time Point ID
00120051 ST X - - Clinical Trial Time Point Description
00120055 LO X - - Issuer of Clinical Trial Time Point ID
00120060 LO Z - - Clinical Trial Coordinating Center Name
00120071 LO X - - Clinical Trial Series ID
00120072 LO X - - Clinical Trial Series Description
00120073 LO X - - Issuer of Clinical Trial Series ID
00120081 LO D - - Clinical Trial Protocol Ethics Committee Name
00120082 LO X - - Clinical Trial Protocol Ethics Committee Approval Number
00120086 DA X C - Ethics Committee Approval Effectiveness Start Date
00120087 DA X C - Ethics Committee Approval Effectiveness End Date
0014407C TM X C - Calibration Time
0014407E DA X C - Calibration Date
0016002B OB X - - Maker Note
0016004B OB X - - Device Setting Description
0016004D UT X - - Camera Owner Name
0016004E DS X - - Lens Specification
0016004F UT X - - Lens Make
00160050 UT X - - Lens Model
00160051 UT X - - Lens Serial Number
00160070 OB X - - GPS Version ID
00160071 CS X - - GPS Latitude Ref
00160072 DS X - - GPS Latitude
00160073 CS X - - GPS Longitude Ref
00160074 DS X - - GPS Longitude
00160075 US X - - GPS Altitude Ref
00160076 DS X - - GPS Altitude
00160077 DT X - - GPS Time Stamp
00160078 UT X - - GPS Satellites
00160079 CS X - - GPS Status
0016007A CS X - - GPS Measure Mode
0016007B DS X - - GPS DOP
0016007C CS X - - GPS Speed Ref
0016007D DS X - - GPS Speed
0016007E CS X - - GPS Track Ref
0016007F DS X - - GPS Track
00160080 CS X - - GPS Img Direction Ref
00160081 DS X - - GPS Img Direction
00160082 UT X - - GPS Map Datum
00160083 CS X - - GPS Dest Latitude Ref
00160084 DS X - - GPS Dest Latitude
00160085 CS X - - GPS Dest Longitude Ref
00160086 DS X - - GPS Dest Longitude
00160087 CS X - - GPS Dest Bearing Ref
00160088 DS X - - GPS Dest Bearing
00160089 CS X - - GPS Dest Distance Ref
0016008A DS X - - GPS Dest Distance
0016008B OB X - - GPS Processing Method
0016008C OB X - - GPS Area Information
0016008D DT X C - GPS Date Stamp
0016008E IS X - - GPS Differential
`;
