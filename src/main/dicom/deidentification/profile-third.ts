/** PS3.15 Table E.1-1, groups 0040 and above; the columns are described in profile.ts. */
export const thirdRows = `
00400001 AE X - - Scheduled Station AE Title
00400002 DA X C - Scheduled Procedure Step Start Date
00400003 TM X C - Scheduled Procedure Step Start Time
00400004 DA X C - Scheduled Procedure Step End Date
00400005 TM X C - Scheduled Procedure Step End Time
00400006 PN X - - Scheduled Performing Physician's Name
00400007 LO X - - Scheduled Procedure Step Description
00400009 SH X - - Scheduled Procedure Step ID
0040000B SQ X - - Scheduled Performing Physician Identification Sequence
00400010 SH X - - Scheduled Station Name
00400011 SH X - - Scheduled Procedure Step Location
00400012 LO X - C Pre-Medication
00400241 AE X - - Performed Station AE Title
00400242 SH X - - Performed Station Name
00400243 SH X - - Performed Location
00400244 DA X C - Performed Procedure Step Start Date
00400245 TM X C - Performed Procedure Step Start Time
00400250 DA X C - Performed Procedure Step End Date
00400251 TM X C - Performed Procedure Step End Time
00400253 SH X - - Performed Procedure Step ID
00400254 LO X - - Performed Procedure Step Description
00400275 SQ X - - Request Attributes Sequence
00400280 ST X - - Comments on the Performed Procedure Step
00400310 ST X - - Comments on Radiation Dose
0040050A LO X - - Specimen Accession Number
00400512 LO D - - Container Identifier
00400513 SQ Z - - Issuer of the Container Identifier Sequence
0040051A LO X - - Container Description
00400551 LO D - - Specimen Identifier
00400554 UI U - - Specimen UID
00400555 SQ X/Z - - Acquisition Context Sequence
00400562 SQ Z - - Issuer of the Specimen Identifier Sequence
00400600 LO X - - Specimen Short Description
00400602 UT X - - Specimen Detailed Description
00400610 SQ Z - - Specimen Preparation Sequence
004006FA LO X - - Slide Identifier
00401001 SH X - - Requested Procedure ID
00401002 LO X - - Reason for the Requested Procedure
00401004 LO X - - Patient Transport Arrangements
00401005 LO X - - Requested Procedure Location
0040100A SQ X - - Reason for Requested Procedure Code Sequence
00401010 PN X - - Names of Intended Recipients of Results
00401011 SQ X - - Intended Recipients of Results Identification Sequence
00401101 SQ D - - Person Identification Code Sequence
00401102 ST X - - Person's Address
00401103 LO X - - Person's Telephone Numbers
00401104 LT X - - Person's Telecom Information
00401400 LT X - - Requested Procedure Comments
00402001 LO X - - Reason for the Imaging Service Request
00402004 DA X C - Issue Date of Imaging Service Request
00402005 TM X C - Issue Time of Imaging Service Request
00402008 PN X - - Order Entered By
00402009 SH X - - Order Enterer's Location
00402010 SH X - - Order Callback Phone Number
00402011 LT X - - Order Callback Telecom Information
00402016 LO Z - - Placer Order Number / Imaging Service Request
00402017 LO Z - - Filler Order Number / Imaging Service Request
00402400 LT X - - Imaging Service Request Comments
00403001 LO X - - Confidentiality Constraint on Patient Data Description
00404005 DT X C - Scheduled Procedure Step Start DateTime
00404008 DT X C - Scheduled Procedure Step Expiration DateTime
00404010 DT X C - Scheduled Procedure Step Modification DateTime
00404011 DT X C - Expected Completion DateTime
00404023 UI U - - Referenced General Purpose Scheduled Procedure Step Transaction UID
00404025 SQ X - - Scheduled Station Name Code Sequence
00404027 SQ X - - Scheduled Station Geographic Location Code Sequence
00404028 SQ X - - Performed Station Name Code Sequence
00404030 SQ X - - Performed Station Geographic Location Code Sequence
00404034 SQ X - - Scheduled Human Performers Sequence
00404035 SQ X - - Actual Human Performers Sequence
00404036 LO X - - Human Performer's Organization
00404037 PN X - - Human Performer's Name
00404050 DT X C - Performed Procedure Step Start DateTime
00404051 DT X C - Performed Procedure Step End DateTime
00404052 DT X C - Procedure Step Cancellation DateTime
0040A023 DA X C - Findings Group Recording Date (Trial)
0040A024 TM X C - Findings Group Recording Time (Trial)
0040A027 LO D - - Verifying Organization
0040A030 DT D C - Verification DateTime
0040A032 DT X/D C - Observation DateTime
0040A033 DT X C - Observation Start DateTime
0040A073 SQ D - - Verifying Observer Sequence
0040A075 PN D - - Verifying Observer Name
0040A078 SQ X - - Author Observer Sequence
0040A07A SQ X - - Participant Sequence
0040A07C SQ X - - Custodial Organization Sequence
0040A082 DT Z C - Participation DateTime
0040A088 SQ Z - - Verifying Observer Identification Code Sequence
0040A110 DA X C - Date of Document or Verbal Transaction (Trial)
0040A112 TM X C - Time of Document Creation or Verbal Transaction (Trial)
0040A120 DT D C - DateTime
0040A121 DA D C - Date
0040A122 TM D C - Time
0040A123 PN D - - Person Name
0040A124 UI U - - UID
0040A13A DT D C - Referenced DateTime
0040A171 UI U - - Observation UID
0040A172 UI U - - Referenced Observation UID (Trial)
0040A192 DA X C - Observation Date (Trial)
0040A193 TM X C - Observation Time (Trial)
0040A307 PN X - - Current Observer (Trial)
0040A352 PN X - - Verbal Source (Trial)
0040A353 ST X - - Address (Trial)
0040A354 LO X - - Telephone Number (Trial)
0040A358 SQ X - - Verbal Source Identifier Code Sequence (Trial)
0040A402 UI U - - Observation Subject UID (Trial)
0040A730 SQ D - - Content Sequence
0040DB06 DT X C - Template Version
0040DB07 DT X C - Template Local Version
0040DB0C UI U - - Template Extension Organization UID
0040DB0D UI U - - Template Extension Creator UID
0040E004 DT X C - HL7 Document Effective Time
00420011 OB D - - Encapsulated Document
00440004 DT X C - Approval Status DateTime
0044000B DT X C - Product Expiration DateTime
00440010 DT X C - Substance Administration DateTime
00440104 DT D C - Assertion DateTime
00440105 DT X C - Assertion Expiration DateTime
0050001B LO X - - Container Component ID
00500020 LO X - - Device Description
00500021 ST X - - Long Device Description
00620021 UI U - - Tracking UID
00640003 UI U - - Source Frame of Reference UID
00686226 DT D C - Effective DateTime
00686270 DT D C - Information Issue DateTime
006A0003 UI D - - Annotation Group UID
006A0005 LO D - - Annotation Group Label
006A0006 UT X - - Annotation Group Description
00700001 SQ D - - Graphic Annotation Sequence
00700082 DA X C - Presentation Creation Date
00700083 TM X C - Presentation Creation Time
00700084 PN Z/D - - Content Creator's Name
00700086 SQ X - - Content Creator's Identification Code Sequence
0070031A UI U - - Fiducial UID
00701101 UI U - - Presentation Display Collection UID
00701102 UI U - - Presentation Sequence Collection UID
0072000A DT D C - Hanging Protocol Creation DateTime
0072005E AE D - - Selector AE Value
0072005F AS D - K Selector AS Value
00720061 DA D C - Selector DA Value
00720063 DT D C - Selector DT Value
00720065 OB D - - Selector OB Value
00720066 LO D - - Selector LO Value
00720068 LT D - - Selector LT Value
0072006A PN D - - Selector PN Value
0072006B TM D C - Selector TM Value
0072006C SH D - - Selector SH Value
0072006D UN D - - Selector UN Value
0072006E ST D - - Selector ST Value
00720070 UT D - - Selector UT Value
00720071 UR D - - Selector UR Value
00741234 AE X - - Receiving AE
00741236 AE X - - Requesting AE
00880140 UI U - - Storage Media File-set UID
00880200 SQ X - - Icon Image Sequence
00880904 LO X - - Topic Title
00880906 ST X - - Topic Subject
00880910 LO X - - Topic Author
00880912 LO X - - Topic Keywords
01000420 DT X C - SOP Authorization DateTime
04000100 UI U - - Digital Signature UID
04000105 DT D C - Digital Signature DateTime
04000115 OB D - - Certificate of Signer
04000310 OB X C - Certified Timestamp
04000402 SQ X - - Referenced Digital Signature Sequence
04000403 SQ X - - Referenced SOP Instance MAC Sequence
04000404 OB X - - MAC
04000550 SQ X - - Modified Attributes Sequence
04000551 SQ X - - Nonconforming Modified Attributes Sequence
04000552 OB X - - Nonconforming Data Element Value
04000561 SQ X - - Original Attributes Sequence
04000562 DT D C - Attribute Modification DateTime
04000563 LO D - - Modifying System
04000564 LO Z - - Source of Previous Values
04000565 CS D - - Reason for the Attribute Modification
04000600 CS X - - Instance Origin Status
20300020 LO X - - Text String
21000040 DA X C - Creation Date
21000050 TM X C - Creation Time
21000070 AE X - - Originator
21000140 AE D - - Destination AE
22000002 UT X/Z - - Label Text
22000005 LT X/Z - - Barcode Value
30020121 LO X - - Position Acquisition Template Name
30020123 LT X - - Position Acquisition Template Description
30060002 SH D - - Structure Set Label
30060004 LO X - - Structure Set Name
30060006 ST X - - Structure Set Description
30060008 DA Z C - Structure Set Date
30060009 TM Z C - Structure Set Time
30060024 UI U - - Referenced Frame of Reference UID
30060026 LO Z - - ROI Name
30060028 ST X - - ROI Description
3006002D DT X C - ROI DateTime
3006002E DT X C - ROI Observation DateTime
30060038 LO X - - ROI Generation Description
3006004D SQ X - - ROI Creator Sequence
3006004E SQ X - - ROI Interpreter Sequence
30060085 SH X - - ROI Observation Label
30060088 ST X - - ROI Observation Description
300600A6 PN Z - - ROI Interpreter
300600C2 UI U - - Related Frame of Reference UID
30080024 DA D C - Treatment Control Point Date
30080025 TM D C - Treatment Control Point Time
30080054 DA X/D C - First Treatment Date
30080056 DA X/D C - Most Recent Treatment Date
30080105 LO X/Z - - Source Serial Number
30080162 DA D C - Safe Position Exit Date
30080164 TM D C - Safe Position Exit Time
30080166 DA D C - Safe Position Return Date
30080168 TM D C - Safe Position Return Time
30080250 DA X/D C - Treatment Date
30080251 TM X/D C - Treatment Time
300A0002 SH D - - RT Plan Label
300A0003 LO X - - RT Plan Name
300A0004 ST X - - RT Plan Description
300A0006 DA X/D C - RT Plan Date
300A0007 TM X/D C - RT Plan Time
300A000B LO X - - Treatment Sites
300A000E ST X - - Prescription Description
300A0013 UI U - - Dose Reference UID
300A0016 LO X - - Dose Reference Description
300A0072 LO X - - Fraction Group Description
300A0083 UI U - - Referenced Dose Reference UID
300A00B2 SH X/Z - - Treatment Machine Name
300A00C3 ST X - - Beam Description
300A00DD ST X - - Bolus Description
300A0196 ST X - - Fixation Device Description
300A01A6 ST X - - Shielding Device Description
300A01B2 ST X - - Setup Technique Description
300A0216 LO X - - Source Manufacturer
300A022C DA D C - Source Strength Reference Date
300A022E TM D C - Source Strength Reference Time
300A02EB LT X - - Compensator Description
300A0608 LO D - - Treatment Position Group Label
300A0609 UI U - - Treatment Position Group UID
300A0611 LO Z - - RT Accessory Holder Slot ID
300A0615 LO Z - - RT Accessory Device Slot ID
300A0619 LO D - - Radiation Dose Identification Label
300A0623 LO D - - Radiation Dose In-Vivo Measurement Label
300A062A LO D - - RT Tolerance Set Label
300A0650 UI U - - Patient Setup UID
300A0676 ST X - - Equipment Frame of Reference Description
300A067C SH D - - Radiation Generation Mode Label
300A067D ST Z - - Radiation Generation Mode Description
300A0700 UI U - - Treatment Session UID
300A0734 ST D - - Treatment Tolerance Violation Description
300A0736 DT D C - Treatment Tolerance Violation DateTime
300A073A DT D C - Recorded RT Control Point DateTime
300A0741 DT D C - Interlock DateTime
300A0742 ST D - - Interlock Description
300A0760 DT D C - Override DateTime
300A0783 ST D - - Interlock Origin Description
300A0785 UI U - - Referenced Treatment Position Group UID
300A078E LT X - - Patient Treatment Preparation Procedure Parameter Description
300A0792 LT X - - Patient Treatment Preparation Method Description
300A0794 LT X - - Patient Setup Photo Description
300A079A LO X - - Displacement Reference Label
300C0113 LO X - - Reason for Omission Description
300C0127 DT D C - Beam Hold Transition DateTime
300E0004 DA Z C - Review Date
300E0005 TM Z C - Review Time
300E0008 PN X/Z - - Reviewer Name
30100006 UI U - - Conceptual Volume UID
3010000B UI U - - Referenced Conceptual Volume UID
3010000F ST Z - - Conceptual Volume Combination Description
30100013 UI U - - Constituent Conceptual Volume UID
30100015 UI U - - Source Conceptual Volume UID
30100017 ST Z - - Conceptual Volume Description
3010001B UC Z - - Device Alternate Identifier
3010002D LO D - - Device Label
30100031 UI U - - Referenced Fiducials UID
30100033 SH D - - User Content Label
30100034 LO D - - User Content Long Label
30100035 SH D - - Entity Label
30100036 LO X - - Entity Name
30100037 ST X - - Entity Description
30100038 LO D - - Entity Long Label
3010003B UI U - - RT Treatment Phase UID
30100043 ST Z - - Manufacturer's Device Identifier
3010004C DA X/D C - Intended Phase Start Date
3010004D DA X/D C - Intended Phase End Date
30100054 LO D - - RT Prescription Label
30100056 LO X/D - - RT Treatment Approach Label
3010005A UT Z - - RT Physician Intent Narrative
3010005C ST Z - - Reason for Superseding
30100061 UT X - - Prior Treatment Dose Description
3010006E UI U - - Dosimetric Objective UID
3010006F UI U - - Referenced Dosimetric Objective UID
30100077 LO X/D - - Treatment Site
3010007A UT Z - - Treatment Technique Notes
3010007B UT Z - - Prescription Notes
3010007F UT Z - - Fractionation Notes
30100081 SQ Z - - Prescription Notes Sequence
30100085 TM X C - Intended Fraction Start Time
40000010 LT X - - Arbitrary
40004000 LT X - - Text Comments
40080040 SH X - - Results ID
40080042 LO X - - Results ID Issuer
40080100 DA X C - Interpretation Recorded Date
40080101 TM X C - Interpretation Recorded Time
40080102 PN X - - Interpretation Recorder
40080108 DA X C - Interpretation Transcription Date
40080109 TM X C - Interpretation Transcription Time
4008010A PN X - - Interpretation Transcriber
4008010B ST X - - Interpretation Text
4008010C PN X - - Interpretation Author
40080111 SQ X - - Interpretation Approver Sequence
40080112 DA X C - Interpretation Approval Date
40080113 TM X C - Interpretation Approval Time
40080114 PN X - - Physician Approving Interpretation
40080115 LT X - - Interpretation Diagnosis Description
40080118 SQ X - - Results Distribution List Sequence
40080119 PN X - - Distribution Name
4008011A LO X - - Distribution Address
40080200 SH X - - Interpretation ID
40080202 LO X - - Interpretation ID Issuer
40080300 ST X - - Impressions
40084000 ST X - - Results Comments
FFFAFFFA SQ X - - Digital Signatures Sequence
FFFCFFFC OB X - - Data Set Trailing Padding
`;
