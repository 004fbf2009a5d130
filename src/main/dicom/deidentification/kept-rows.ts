/**
 * Attributes outside the profile's table that a de-identified copy keeps: numbers and codes of the
 * CR, DX, mammography, secondary-capture and ultrasound modules (PS3.3), the sequences that hold
 * them, and class identifiers. Free text is not among them. Each line: tag, value representation
 * (PS3.6), name.
 */
export const keptRows = `
00080008 CS Image Type
00080016 UI SOP Class UID
0008001C CS Synthetic Data
00080060 CS Modality
00080064 CS Conversion Type
00080068 CS Presentation Intent Type
00080070 LO Manufacturer
00080100 SH Code Value
00080102 SH Coding Scheme Designator
00080104 LO Code Meaning
00081115 SQ Referenced Series Sequence
00081150 UI Referenced SOP Class UID
00081160 IS Referenced Frame Number
00082122 IS Stage Number
00082124 IS Number of Stages
00082128 IS View Number
00082129 IS Number of Event Timers
0008212A IS Number of Views in Stage
00082142 IS Start Trim
00082143 IS Stop Trim
00082144 IS Recommended Display Frame Rate
00082218 SQ Anatomic Region Sequence
00082220 SQ Anatomic Region Modifier Sequence
00082228 SQ Primary Anatomic Structure Sequence
00082230 SQ Primary Anatomic Structure Modifier Sequence
00089092 SQ Referenced Image Evidence Sequence
00089215 SQ Derivation Code Sequence
00180012 SQ Contrast/Bolus Agent Sequence
00180014 SQ Contrast/Bolus Administration Route Sequence
00180015 CS Body Part Examined
00180022 CS Scan Options
00180040 IS Cine Rate
00180050 DS Slice Thickness
00180060 DS KVP
00181063 DS Frame Time
00181065 DS Frame Time Vector
00181066 DS Frame Delay
00181110 DS Distance Source to Detector
00181111 DS Distance Source to Patient
00181114 DS Estimated Radiographic Magnification Factor
00181120 DS Gantry/Detector Tilt
00181121 DS Gantry/Detector Slew
00181130 DS Table Height
00181131 DS Table Traverse
00181134 CS Table Motion
00181135 DS Table Vertical Increment
00181136 DS Table Lateral Increment
00181137 DS Table Longitudinal Increment
00181138 DS Table Angle
0018113A CS Table Type
00181147 CS Field of View Shape
00181149 IS Field of View Dimension(s)
00181150 IS Exposure Time
00181151 IS X-Ray Tube Current
00181152 IS Exposure
00181153 IS Exposure in microAs
00181154 DS Average Pulse Width
00181155 CS Radiation Setting
00181156 CS Rectification Type
0018115A CS Radiation Mode
0018115E DS Image and Fluoroscopy Area Dose Product
00181162 DS Intensifier Size
00181164 DS Imager Pixel Spacing
00181166 CS Grid
00181170 IS Generator Power
00181181 CS Collimator Type
00181182 IS Focal Distance
00181183 DS X Focus Center
00181184 DS Y Focus Center
00181190 DS Focal Spot(s)
00181191 CS Anode Target Material
001811A0 DS Body Part Thickness
001811A2 DS Compression Force
001811A3 DS Compression Pressure
001811A5 DS Compression Contact Area
00181402 CS Cassette Orientation
00181403 CS Cassette Size
00181404 US Exposures on Plate
00181405 IS Relative X-Ray Exposure
00181411 DS Exposure Index
00181412 DS Target Exposure Index
00181413 DS Deviation Index
00181450 DS Column Angulation
00181460 DS Tomo Layer Height
00181470 DS Tomo Angle
00181480 DS Tomo Time
00181490 CS Tomo Type
00181491 CS Tomo Class
00181495 IS Number of Tomosynthesis Source Images
00181500 CS Positioner Motion
00181508 CS Positioner Type
00181510 DS Positioner Primary Angle
00181511 DS Positioner Secondary Angle
00181520 DS Positioner Primary Angle Increment
00181521 DS Positioner Secondary Angle Increment
00181530 DS Detector Primary Angle
00181531 DS Detector Secondary Angle
00181600 CS Shutter Shape
00181602 IS Shutter Left Vertical Edge
00181604 IS Shutter Right Vertical Edge
00181606 IS Shutter Upper Horizontal Edge
00181608 IS Shutter Lower Horizontal Edge
00181610 IS Center of Circular Shutter
00181612 IS Radius of Circular Shutter
00181620 IS Vertices of the Polygonal Shutter
00181622 US Shutter Presentation Value
00181700 CS Collimator Shape
00181702 IS Collimator Left Vertical Edge
00181704 IS Collimator Right Vertical Edge
00181706 IS Collimator Upper Horizontal Edge
00181708 IS Collimator Lower Horizontal Edge
00181710 IS Center of Circular Collimator
00181712 IS Radius of Circular Collimator
00181720 IS Vertices of the Polygonal Collimator
00185012 DS Focus Depth
00185022 DS Mechanical Index
00185024 DS Bone Thermal Index
00185026 DS Cranial Thermal Index
00185027 DS Soft Tissue Thermal Index
00185028 DS Soft Tissue-focus Thermal Index
00185029 DS Soft Tissue-surface Thermal Index
00185050 IS Depth of Scan Field
00185100 CS Patient Position
00185101 CS View Position
00185104 SQ Projection Eponymous Name Code Sequence
00186011 SQ Sequence of Ultrasound Regions
00186012 US Region Spatial Format
00186014 US Region Data Type
00186016 UL Region Flags
00186018 UL Region Location Min X0
0018601A UL Region Location Min Y0
0018601C UL Region Location Max X1
0018601E UL Region Location Max Y1
00186020 SL Reference Pixel X0
00186022 SL Reference Pixel Y0
00186024 US Physical Units X Direction
00186026 US Physical Units Y Direction
00186028 FD Reference Pixel Physical Value X
0018602A FD Reference Pixel Physical Value Y
0018602C FD Physical Delta X
0018602E FD Physical Delta Y
00186030 UL Transducer Frequency
00186031 CS Transducer Type
00186032 UL Pulse Repetition Frequency
00186034 FD Doppler Correction Angle
00186036 FD Steering Angle
00186039 SL Doppler Sample Volume X Position
0018603B SL Doppler Sample Volume Y Position
0018603D SL TM-Line Position X0
0018603F SL TM-Line Position Y0
00186041 SL TM-Line Position X1
00186043 SL TM-Line Position Y1
00186044 US Pixel Component Organization
00186046 UL Pixel Component Mask
00186048 UL Pixel Component Range Start
0018604A UL Pixel Component Range Stop
0018604C US Pixel Component Physical Units
0018604E US Pixel Component Data Type
00186050 UL Number of Table Break Points
00186052 UL Table of X Break Points
00186054 FD Table of Y Break Points
00186056 UL Number of Table Entries
00186058 UL Table of Pixel Values
0018605A FL Table of Parameter Values
00187000 CS Detector Conditions Nominal Flag
00187001 DS Detector Temperature
00187004 CS Detector Type
00187005 CS Detector Configuration
0018701A DS Detector Binning
00187020 DS Detector Element Physical Size
00187022 DS Detector Element Spacing
00187024 CS Detector Active Shape
00187026 DS Detector Active Dimension(s)
00187028 DS Detector Active Origin
00187030 DS Field of View Origin
00187032 DS Field of View Rotation
00187034 CS Field of View Horizontal Flip
00187036 FL Pixel Data Area Origin Relative To FOV
00187038 FL Pixel Data Area Rotation Angle Relative To FOV
00187042 DS Grid Thickness
00187044 DS Grid Pitch
00187046 IS Grid Aspect Ratio
00187048 DS Grid Period
0018704C DS Grid Focal Distance
00187050 CS Filter Material
00187052 DS Filter Thickness Minimum
00187054 DS Filter Thickness Maximum
00187056 FL Filter Beam Path Length Minimum
00187058 FL Filter Beam Path Length Maximum
00187060 CS Exposure Control Mode
00187064 CS Exposure Status
00187065 DS Phototimer Setting
00200011 IS Series Number
00200012 IS Acquisition Number
00200013 IS Instance Number
00200019 IS Item Number
00200020 CS Patient Orientation
00200032 DS Image Position (Patient)
00200037 DS Image Orientation (Patient)
00200060 CS Laterality
00200062 CS Image Laterality
00201002 IS Images in Acquisition
00201041 DS Slice Location
00280002 US Samples per Pixel
00280003 US Samples per Pixel Used
00280004 CS Photometric Interpretation
00280006 US Planar Configuration
00280008 IS Number of Frames
00280009 AT Frame Increment Pointer
0028000A AT Frame Dimension Pointer
00280010 US Rows
00280011 US Columns
00280014 US Ultrasound Color Data Present
00280030 DS Pixel Spacing
00280031 DS Zoom Factor
00280032 DS Zoom Center
00280034 IS Pixel Aspect Ratio
00280051 CS Corrected Image
00280100 US Bits Allocated
00280101 US Bits Stored
00280102 US High Bit
00280103 US Pixel Representation
00280106 US Smallest Image Pixel Value
00280107 US Largest Image Pixel Value
00280108 US Smallest Pixel Value in Series
00280109 US Largest Pixel Value in Series
00280120 US Pixel Padding Value
00280121 US Pixel Padding Range Limit
00280122 FL Float Pixel Padding Value
00280123 FD Double Float Pixel Padding Value
00280124 FL Float Pixel Padding Range Limit
00280125 FD Double Float Pixel Padding Range Limit
00280301 CS Burned In Annotation
00280302 CS Recognizable Visual Features
00280303 CS Longitudinal Temporal Information Modified
00280A02 CS Pixel Spacing Calibration Type
00281040 CS Pixel Intensity Relationship
00281041 SS Pixel Intensity Relationship Sign
00281050 DS Window Center
00281051 DS Window Width
00281052 DS Rescale Intercept
00281053 DS Rescale Slope
00281056 CS VOI LUT Function
00281090 CS Recommended Viewing Mode
00281101 US Red Palette Color Lookup Table Descriptor
00281102 US Green Palette Color Lookup Table Descriptor
00281103 US Blue Palette Color Lookup Table Descriptor
00281201 OW Red Palette Color Lookup Table Data
00281202 OW Green Palette Color Lookup Table Data
00281203 OW Blue Palette Color Lookup Table Data
00281300 CS Breast Implant Present
00281350 CS Partial View
00281352 SQ Partial View Code Sequence
0028135A CS Spatial Locations Preserved
00282002 CS Color Space
00282110 CS Lossy Image Compression
00282112 DS Lossy Image Compression Ratio
00282114 CS Lossy Image Compression Method
00283000 SQ Modality LUT Sequence
00283002 US LUT Descriptor
00283006 OW LUT Data
00283010 SQ VOI LUT Sequence
00286010 US Representative Frame Number
00400302 US Entrance Dose
00400303 US Exposed Area
00400306 DS Distance Source to Entrance
00400312 DS X-Ray Output
00400314 DS Half Value Layer
00400316 DS Organ Dose
00400318 CS Organ Exposed
0040A170 SQ Purpose of Reference Code Sequence
00540220 SQ View Code Sequence
00540222 SQ View Modifier Code Sequence
00540410 SQ Patient Orientation Code Sequence
00540412 SQ Patient Orientation Modifier Code Sequence
00540414 SQ Patient Gantry Relationship Code Sequence
20500010 SQ Presentation LUT Sequence
20500020 CS Presentation LUT Shape
7FE00001 OV Extended Offset Table
7FE00002 OV Extended Offset Table Lengths
`;
