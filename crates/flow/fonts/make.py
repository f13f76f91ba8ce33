# Makes the two fonts here out of Inter (npm @expo-google-fonts/inter 0.4.2): Latin, Greek, Cyrillic, punctuation and
# currency signs only, and digits of one width, so that columns of numbers stand in line. pip install fonttools.
import sys
from fontTools import subset
from fontTools.ttLib import TTFont
ranges=[(0x20,0x7e),(0xa0,0x24f),(0x2bc,0x2bc),(0x2c6,0x2dd),(0x370,0x3ff),(0x400,0x52f),(0x1e80,0x1e85),(0x1e9e,0x1e9e),(0x1ea0,0x1ef9),(0x2002,0x2014),(0x2018,0x2026),(0x202f,0x2030),(0x2032,0x2033),(0x2039,0x203a),(0x2044,0x2044),(0x20a0,0x20c0),(0x2116,0x2116),(0x2122,0x2122),(0x2190,0x2193),(0x2212,0x2212),(0x2248,0x2248),(0x2260,0x2265),(0x2713,0x2713),(0x25cf,0x25cf),(0xfffd,0xfffd)]
want=[c for a,b in ranges for c in range(a,b+1)]
for src,name in ((sys.argv[1],'Inter-Regular.ttf'),(sys.argv[2],'Inter-SemiBold.ttf')):
    f=TTFont(src)
    order=f.getGlyphOrder()
    # the feature tnum: one glyph for another
    pairs={}
    gsub=f['GSUB'].table
    for rec in gsub.FeatureList.FeatureRecord:
        if rec.FeatureTag=='tnum':
            for i in rec.Feature.LookupListIndex:
                for st in gsub.LookupList.Lookup[i].SubTable:
                    st=getattr(st,'ExtSubTable',st)
                    pairs.update(st.mapping)
    digits={c for c in range(0x30,0x3a)}
    for t in f['cmap'].tables:
        for c in digits:
            if c in t.cmap: t.cmap[c]=pairs.get(t.cmap[c],t.cmap[c])
    o=subset.Options(); o.hinting=False; o.layout_features=[]; o.name_IDs=[0,1,2,4,6,13,14]; o.notdef_outline=True; o.drop_tables+=['GPOS','GSUB','GDEF','STAT','gasp','prep']
    s=subset.Subsetter(o); s.populate(unicodes=want); s.subset(f)
    f.save(name); print(name,len(f.getGlyphOrder()), {f['hmtx'][f.getBestCmap()[c]][0] for c in digits})
